// TLS when memory runs out: whichever allocation of ours fails between the first byte and the last, what was heard is
// the beginning of what was said, the connection ends by itself, and nothing of it is left. OpenSSL's own memory does
// not fail. This program has operator new replaced.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "net/memory_pipe.hpp"
#include "net/tls_transport.hpp"
#include "simulation/failing_allocations.hpp"
#include "support/certificates.hpp"
#include "support/transports.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::net {
namespace {

using simulation::failing_allocation;
using test::test_certificates;

struct heard {
  transport* stream = nullptr;
  std::string text;
  bool ended = false;
  bool failed = false;
};

// Takes a part of what comes, and says something of its own first.
class speaker final : public driver {
 public:
  speaker(transport& on, heard& notes, std::string_view says) noexcept : on_(on), notes_(notes) {
    notes.stream = &on;
    on.queue_copy(test::bytes_of(says));
  }
  ~speaker() override { notes_.stream = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    const std::size_t count = std::max<std::size_t>(bytes.size() / 2, 1);
    notes_.text += test::text_of(bytes.first(count));
    return count;
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {
    notes_.ended = true;
    on_.close();
  }
  void on_failure(const failure&) noexcept override { notes_.failed = true; }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override { on_.close(); }
  std::string describe() const override { return "a speaker"; }

 private:
  transport& on_;
  heard& notes_;
};

// Whether an allocation has failed in it.
bool converse(const server_tls& server_with, const client_tls& client_with, std::uint64_t failing) {
  // Beyond a record, and beyond what is kept in place.
  const std::string by_server = std::string(20'000, 's');
  const std::string by_client = std::string(5'000, 'c');
  heard server;
  heard client;
  // What the test keeps is not TLS's to survive: it has the memory already.
  server.text.reserve(by_client.size());
  client.text.reserve(by_server.size());
  event_loop loop(std::make_unique<test::virtual_engine>());
  const auto [near, far] = memory_pipe::make(loop, 1000);
  bool failed = false;
  {
    const failing_allocation failure(failing);
    const auto begin = [](pipe_end& end, auto&& make) {
      try {
        memory_pipe::set_driver(end, make(end));
      } catch (const std::bad_alloc&) {
        end.abort();  // as the loop does with what cannot be served
      }
    };
    begin(*near, [&](transport& on) {
      return serve_tls(on, server_with,
                       [&](transport& above) { return std::make_unique<speaker>(above, server, by_server); });
    });
    begin(*far, [&](transport& on) {
      return connect_tls(on, client_with, "localhost",
                         [&](transport& above) { return std::make_unique<speaker>(above, client, by_client); });
    });
    for (int i = 0; i < 200; ++i) {
      loop.run_once(false);
      for (const heard* const each : {&server, &client}) {
        if (each->stream != nullptr) each->stream->resume_reading();
      }
    }
    failed = failure.has_come();
  }
  if (!failed) {
    EXPECT_EQ(server.text, by_client);
    EXPECT_EQ(client.text, by_server);
  }
  EXPECT_TRUE(by_client.starts_with(server.text));
  EXPECT_TRUE(by_server.starts_with(client.text));
  if (client.stream != nullptr) client.stream->close();
  test::run_idle(loop, 50);
  loop.abort_all();
  test::run_idle(loop, 50);
  EXPECT_TRUE(loop.describe_connections(1).empty());
  EXPECT_EQ(loop.inbound().used, 0U);
  return failed;
}

TEST(TlsMemory, WhicheverAllocationFailsNothingIsLeft) {
  const server_tls server_with(test_certificates::server_options());
  const client_tls client_with(test_certificates::client_options());
  simulation::fail_each_allocation(20,
                                   [&](std::uint64_t failing) { return converse(server_with, client_with, failing); });
}

// Whether an allocation has failed while a server's certificates were read.
bool load(const std::vector<tls_certificate>& certificates, std::uint64_t failing) {
  server_tls_options options = test_certificates::server_options();
  options.certificates = certificates;
  const failing_allocation failure(failing);
  try {
    const server_tls loaded(options);
    EXPECT_FALSE(failure.has_come()) << "what is loaded is whole";
  } catch (const std::bad_alloc&) {
    EXPECT_TRUE(failure.has_come());
  }
  return failure.has_come();
}

TEST(TlsMemory, CertificatesAreLoadedWholeOrNotAtAll) {
  const test::issued_certificate& issued = test_certificates::all().server;
  std::vector<tls_certificate> both(2);
  both[0].certificate = issued.certificate() + test_certificates::all().authority.certificate() + issued.key();
  both[1].certificate = issued.pkcs12("secret");
  both[1].password = "secret";
  simulation::fail_each_allocation(10, [&both](std::uint64_t failing) { return load(both, failing); });
}

}  // namespace
}  // namespace windhover::net
