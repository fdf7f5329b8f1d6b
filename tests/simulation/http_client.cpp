#include "http_client.hpp"

#include <chrono>
#include <stdexcept>

#include "endpoints.hpp"

namespace windhover::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t sizes[] = {0, 10, 3000, 50'000, 200'000};

}  // namespace

http_client::http_client(net::simulated_network& network, const endpoint& server, std::uint64_t seed,
                         net::duration begins, client_notes& notes)
    : client(network, server, seed, begins), notes_(notes), requests_left_(random().between(1, 6)) {
  notes_.path = "HTTP";
}

void http_client::complain(std::string_view about) {
  if (notes_.complaint.empty()) notes_.complaint = about;
}

std::optional<net::duration> http_client::step() {
  if (requests_left_ == 0) {
    // Who ends its half while a handler runs has gone, as far as the handler is told.
    if (!asked_.empty() && !random().chance(50)) return 3ms;
    if (!asked_.empty() || random().chance(100)) {
      leave(true);
    } else {
      end();
    }
    return std::nullopt;
  }
  // Sometimes the next request does not wait for the answer to the one before.
  if (!asked_.empty() && !random().chance(200)) return 3ms;
  --requests_left_;
  ask();
  return random().chance(500) ? 0ms : milliseconds_up_to(50);
}

void http_client::ask() {
  const std::size_t size = random().below(sizes[random().below(random().chance(200) ? 5 : 3)] + 1);
  const std::string host = " HTTP/1.1\r\nHost: simulation\r\n";
  switch (random().below(4)) {
    case 0: {
      queue("HEAD /pattern?size=" + std::to_string(size) + host + "\r\n");
      return asked_.push_back({true, ""});
    }
    case 1: {
      const std::string body = pattern(size % 60'000);
      queue("POST /body" + host + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
      return asked_.push_back({false, body});
    }
    case 2: {
      queue("GET /late?size=" + std::to_string(size % 300) + host + "\r\n");
      return asked_.push_back({false, "late"});
    }
    default: {
      queue("GET /pattern?size=" + std::to_string(size) + host + "\r\n");
      return asked_.push_back({false, pattern(size)});
    }
  }
}

void http_client::read(std::string& arrived) {
  answers_.feed(arrived);
  arrived.clear();
  try {
    while (!asked_.empty()) {
      const auto answer = answers_.next(asked_.front().head, false);
      if (!answer) return;
      const bool failed = answer->status == 500 || answer->status == 408;
      if (answer->status != 200 && !failed) complain("status " + std::to_string(answer->status));
      if (answer->status == 200 && answer->body != asked_.front().body) complain("another body than that asked for");
      asked_.pop_front();
    }
  } catch (const std::runtime_error& error) {
    complain(error.what());
  }
}

void http_client::over(bool) { drop_script(); }

}  // namespace windhover::simulation
