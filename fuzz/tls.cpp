// TLS between a server and a client over the memory pipe, in virtual time. Somebody on the way may put in bytes, change
// them, or end the stream, in either direction: what is delivered is the beginning of what was sent, nobody is told of
// it who should not be, and everything ends. Input: how it is cut, who is tampered with and how, when, and with what;
// the rest is said on both sides.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "input.hpp"
#include "net/event_loop.hpp"
#include "net/memory_pipe.hpp"
#include "net/tls_transport.hpp"
#include "support/certificates.hpp"
#include "support/virtual_engine.hpp"

namespace windhover::fuzz {

namespace {

using test::test_certificates;

enum class tampering : std::uint8_t { none, insert, replace, flip, end, reset };

struct plan {
  tampering what = tampering::none;
  bool towards_server = false;
  bool pauses = false;     // the readers take a part at a time
  std::size_t at = 0;      // which byte
  std::string_view bytes;  // that are put in
};

// Somebody on the way, with an end of each of two pipes.
struct passage {
  plan acts;
  net::transport* ends[2] = {};  // none once it is gone
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One end above TLS.
class speaker final : public net::driver {
 public:
  struct record {
    net::transport* stream = nullptr;
    std::string heard;
    bool failed = false;
    bool ended = false;
  };
  speaker(net::transport& on, record& notes, bool pauses) noexcept : on_(on), notes_(notes), pauses_(pauses) {
    notes.stream = &on;
  }
  ~speaker() override { notes_.stream = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    require(!notes_.failed && !notes_.ended, "nothing comes behind the end");
    // At least a share of what is there: however long that is, it is taken before a conversation ends.
    const std::size_t part = std::max<std::size_t>(bytes.size() / 8, 3);
    const std::size_t count = pauses_ ? std::min(bytes.size(), part) : bytes.size();
    notes_.heard += text_of(bytes.first(count));
    return count;
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {
    notes_.ended = true;
    on_.close();
  }
  void on_failure(const net::failure&) noexcept override {
    require(!notes_.failed, "a failure is told once");
    notes_.failed = true;
  }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override { on_.close(); }
  std::string describe() const override { return "a speaker"; }

 private:
  net::transport& on_;
  record& notes_;
  bool pauses_;
};

// Passes on what comes to one of them.
class middle final : public net::driver {
 public:
  middle(passage& through, int side, bool acts) noexcept : through_(through), side_(side), acts_(acts) {}
  ~middle() override { through_.ends[side_] = nullptr; }
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    const std::size_t acted_on = acts_ && through_.acts.at >= seen_ ? through_.acts.at - seen_ : bytes.size();
    const std::size_t before = std::min(acted_on, bytes.size());
    seen_ += bytes.size();
    pass(bytes.first(before));
    if (before < bytes.size()) {
      std::byte changed = bytes[before];
      if (net::transport* const to = other()) act(*to, changed);
      pass({&changed, 1});
      pass(bytes.subspan(before + 1));
    }
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {
    if (net::transport* const to = other()) to->close();
  }
  void on_failure(const net::failure&) noexcept override {
    if (net::transport* const to = other()) to->abort();
  }
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "somebody on the way"; }

 private:
  net::transport* other() const noexcept { return through_.ends[1 - side_]; }
  void pass(std::span<const std::byte> bytes) noexcept {
    const std::size_t skipped = std::min(left_out_, bytes.size());
    left_out_ -= skipped;
    if (net::transport* const to = other()) to->queue_copy(bytes.subspan(skipped));
  }
  void act(net::transport& to, std::byte& each) noexcept {
    const auto put_in = std::as_bytes(std::span(through_.acts.bytes));
    switch (through_.acts.what) {
      case tampering::none:
        return;
      case tampering::insert:
        return to.queue_copy(put_in);
      case tampering::replace:
        to.queue_copy(put_in);
        left_out_ = put_in.size();
        return;
      case tampering::flip:
        each ^= put_in.empty() ? std::byte{1} : put_in.front();
        return;
      case tampering::end:
        return to.close();
      case tampering::reset:
        return to.abort();
    }
  }

  passage& through_;
  int side_;
  bool acts_;
  std::size_t seen_ = 0;
  std::size_t left_out_ = 0;
};

void converse(const plan& acts, std::size_t cut, std::string_view by_server, std::string_view by_client) {
  static const net::server_tls server_with(test_certificates::server_options());
  static const net::client_tls client_with(test_certificates::client_options());
  speaker::record server;
  speaker::record client;
  passage way{.acts = acts};
  net::event_loop loop(std::make_unique<test::virtual_engine>());
  const auto [server_end, towards_server] = net::memory_pipe::make(loop, cut);
  const auto [towards_client, client_end] = net::memory_pipe::make(loop, cut);
  way.ends[0] = towards_server;
  way.ends[1] = towards_client;
  net::memory_pipe::set_driver(*towards_server, std::make_unique<middle>(way, 0, !acts.towards_server));
  net::memory_pipe::set_driver(*towards_client, std::make_unique<middle>(way, 1, acts.towards_server));
  net::memory_pipe::set_driver(*server_end, net::serve_tls(*server_end, server_with, [&](net::transport& on) {
    require(on.tls() != nullptr, "who is told of a connection knows of its encryption");
    on.queue_copy(std::as_bytes(std::span(by_server)));
    return std::make_unique<speaker>(on, server, acts.pauses);
  }));
  net::memory_pipe::set_driver(*client_end,
                               net::connect_tls(*client_end, client_with, "localhost", [&](net::transport& on) {
                                 on.queue_copy(std::as_bytes(std::span(by_client)));
                                 return std::make_unique<speaker>(on, client, acts.pauses);
                               }));
  for (int i = 0; i < 400; ++i) {
    loop.run_once(false);
    for (const speaker::record* const each : {&server, &client}) {
      if (each->stream != nullptr) each->stream->resume_reading();
    }
  }
  require(by_client.starts_with(server.heard), "the server hears what the client says, and nothing else");
  require(by_server.starts_with(client.heard), "the client hears what the server says, and nothing else");
  if (acts.what == tampering::none) {
    require(server.heard == by_client && client.heard == by_server, "with nobody on the way everything arrives");
    require(!server.failed && !client.failed, "with nobody on the way nothing fails");
  }
  if (client.stream != nullptr) client.stream->close();
  for (int i = 0; i < 50; ++i) loop.run_once(false);
  // One who waits for the rest of a record waits for ever; somebody stops that.
  loop.abort_all();
  for (int i = 0; i < 50; ++i) loop.run_once(false);
  require(loop.describe_connections(1).empty(), "nothing is left behind");
  require(loop.inbound().used == 0, "nothing is kept for a connection that has gone");
}

}  // namespace

void try_input(input in) {
  constexpr std::size_t most_said = 20'000;
  plan acts;
  const std::uint8_t choices = in.octet();
  acts.what = static_cast<tampering>(choices % 6);
  acts.towards_server = (choices & 0x40) != 0;
  acts.pauses = (choices & 0x80) != 0;
  const std::uint8_t cut = in.octet();
  acts.at = in.number(2);
  acts.bytes = in.piece(in.octet());
  const std::string_view rest = in.text();
  std::string by_server(rest.substr(0, rest.size() / 2));
  // A long one goes beyond a record. In single bytes it would take seconds.
  const bool may_be_long = cut == 0 || cut >= 7;
  if (may_be_long && by_server.starts_with('L')) by_server.resize(most_said, 'x');
  const std::string by_client(rest.substr(rest.size() / 2));
  converse(acts, cut == 0 ? std::numeric_limits<std::size_t>::max() : cut, by_server, by_client);
}

}  // namespace windhover::fuzz
