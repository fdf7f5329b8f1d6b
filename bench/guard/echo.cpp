// An application echoes messages over the memory pipe, for callgrind: what is counted between two numbers of messages
// is what one message costs, client and pipe included. There is no kernel, no second thread and no clock in it, so that
// it executes the same instructions each time.
//
//   windhover_guard_echo MESSAGES BYTES IN-FLIGHT
//   windhover_guard_echo          says what these instructions depend on that only a running process knows
#include <charconv>
#include <cstdio>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#if __has_include(<gnu/libc-version.h>)
#include <gnu/libc-version.h>
#endif
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

#include "hosting/application_access.hpp"
#include "http/http1_connection.hpp"
#include "net/event_loop.hpp"
#include "net/memory_pipe.hpp"
#include "net/seeded_random.hpp"
#include "support/virtual_engine.hpp"
#include "wire/websocket/encoder.hpp"
#include <windhover/web_application.hpp>

namespace {

using namespace windhover;

constexpr std::string_view handshake =
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

task<> echo(websocket& socket) {
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

class silent_log final : public logger {
 public:
  bool enabled(log_level) const noexcept override { return false; }
  void write(log_level, std::string_view, std::string_view) noexcept override {}
};

// Counts what comes.
class client final : public net::driver {
 public:
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
    received += bytes.size();
    return bytes.size();
  }
  void on_writable() noexcept override {}
  void on_end() noexcept override {}
  void on_failure(const net::failure&) noexcept override {}
  bool finished() const noexcept override { return true; }
  void drain() noexcept override {}
  std::string describe() const override { return "the client"; }

  std::size_t received = 0;
};

std::string frame_of(std::size_t size, base::random_source& random) {
  const std::string payload(size, 'x');
  std::string frame(wire::maximum_frame_header + size, '\0');
  const wire::frame_header header{.code = wire::opcode::binary, .mask = wire::make_masking_key(random)};
  frame.resize(
      wire::encode_frame(reinterpret_cast<std::byte*>(frame.data()), header, std::as_bytes(std::span(payload))));
  return frame;
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What comes next needs a few iterations; more than that means that it never comes.
template <class Condition>
void turn_until(net::event_loop& loop, Condition reached) {
  for (int turns = 0; !reached(); ++turns) {
    if (turns == 1000) throw std::runtime_error("nothing comes any more");
    loop.run_once(false);
  }
}

void count(std::size_t messages, std::size_t size, std::size_t in_flight) {
  configuration_sources sources;
  sources.read_files = false;
  web_application app(sources);
  silent_log log;
  app.use_logger(log);
  app.use_websockets();
  app.map_websocket("/ws", echo);
  const hosting::application_parts parts = hosting::application_access::open(app);
  http::server_context context;
  context.handler = parts.handler;
  context.options.log = &log;

  net::event_loop loop(std::make_unique<test::virtual_engine>());
  const auto [near, far] = net::memory_pipe::make(loop);
  auto made = std::make_unique<client>();
  client& counting = *made;
  net::memory_pipe::set_driver(*near, std::make_unique<http::http1_connection>(*near, context));
  net::memory_pipe::set_driver(*far, std::move(made));
  far->queue_copy(std::as_bytes(std::span(handshake)));
  turn_until(loop, [&] { return counting.received > 0; });
  counting.received = 0;

  net::seeded_random random(1);
  std::string run_of_frames;
  for (std::size_t i = 0; i < in_flight; ++i) run_of_frames += frame_of(size, random);
  const base::slice frames = base::copy_of(std::as_bytes(std::span(run_of_frames)));
  const std::size_t answer = run_of_frames.size() - 4 * in_flight;  // without their masking keys
  for (std::size_t sent = 0; sent < messages; sent += in_flight) {
    const std::size_t expected = counting.received + answer;
    far->queue(frames);
    turn_until(loop, [&] { return counting.received >= expected; });
  }

  loop.abort_all();
  for (int i = 0; i < 10; ++i) loop.run_once(false);
  hosting::application_access::close(app, true);
}

// The library copies, and Windhover masks, with the widest vectors that the processor has. Under valgrind that is the
// processor which valgrind plays.
void describe_surroundings() {
#if __has_include(<gnu/libc-version.h>)
  std::printf("library: glibc %s\n", gnu_get_libc_version());
#endif
  std::fputs("processor:", stdout);
#if __has_include(<sys/platform/x86.h>)
  const auto name_active = [](const char* name, bool active) {
    if (active) std::printf(" %s", name);
  };
  name_active("sse4.2", CPU_FEATURE_ACTIVE(SSE4_2));
  name_active("avx", CPU_FEATURE_ACTIVE(AVX));
  name_active("avx2", CPU_FEATURE_ACTIVE(AVX2));
  name_active("avx512vl", CPU_FEATURE_ACTIVE(AVX512VL));
  name_active("avx512bw", CPU_FEATURE_ACTIVE(AVX512BW));
  name_active("bmi2", CPU_FEATURE_ACTIVE(BMI2));
  name_active("erms", CPU_FEATURE_ACTIVE(ERMS));
  name_active("fsrm", CPU_FEATURE_ACTIVE(FSRM));
  name_active("rtm", CPU_FEATURE_ACTIVE(RTM));
#endif
  std::fputs("\n", stdout);
}

}  // namespace

int main(int argc, char* argv[]) try {
  if (argc == 1) {
    describe_surroundings();
    return 0;
  }
  if (argc != 4) {
    std::fputs("usage: windhover_guard_echo [MESSAGES BYTES IN-FLIGHT]\n", stderr);
    return 2;
  }
  count(number_in(argv[1]), number_in(argv[2]), number_in(argv[3]));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
