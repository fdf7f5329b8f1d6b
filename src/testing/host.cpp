#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "testing/client_websocket_state.hpp"
#include "testing/host_state.hpp"
#include "testing/memory_peer.hpp"
#include "testing/response_reader.hpp"
#include <windhover/testing.hpp>

namespace windhover::testing {
namespace {

std::string encode(const http_question& question) {
  for (const auto [name, value] : question.headers) {
    if (base::equals_ignoring_case(name, "Host") || base::equals_ignoring_case(name, "Content-Length")) {
      throw std::invalid_argument("the header " + std::string(name) +
                                  " is written by the host itself: leave it out (there is http_question::host)");
    }
  }
  std::string bytes = std::string(question.method) + " " + std::string(question.target) + " HTTP/1.1\r\nHost: ";
  bytes.append(question.host).append("\r\n");
  for (const auto [name, value] : question.headers) bytes.append(name).append(": ").append(value).append("\r\n");
  if (!question.body.empty() || question.method == "POST" || question.method == "PUT") {
    bytes += "Content-Length: " + std::to_string(question.body.size()) + "\r\n";
  }
  return bytes.append("\r\n").append(question.body);
}

http_answer answer_of(read_response&& read) { return {read.status, std::move(read.fields), std::move(read.body)}; }

// The next final response on a connection.
read_response wait_for_response(host_state& in, memory_peer& peer, response_reader& reader, bool to_head,
                                std::string_view what) {
  std::optional<read_response> found;
  const bool came = in.wait_until([&] {
    while (auto next = reader.next(to_head, peer.ended())) {
      if (next->status < 200 && next->status != 101) continue;
      found = std::move(next);
      return true;
    }
    return peer.ended();
  });
  if (!came) throw nothing_came(std::string(what) + " was not answered " + in.after_patience());
  if (!found) throw nothing_came("the server ended the connection without an answer to " + std::string(what));
  return std::move(*found);
}

}  // namespace

host_state::host_state(web_application& application, host_options with)
    : patience(std::chrono::duration_cast<net::duration>(with.patience)), random(with.seed + 1) {
  if (patience <= net::duration::zero()) {
    throw std::invalid_argument("host_options::patience must be more than 0, or nothing could ever be waited for");
  }
  run.emplace(application, with.seed);
}

void host_state::require_running() const {
  if (!run) throw std::logic_error("the host has gone: its clients can no longer be used");
  if (turning) throw std::logic_error("a handler of the application must not call the host that runs it");
}

std::string host_state::after_patience() const {
  const auto seconds = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
  return "within " + std::to_string(seconds.count()) + " ms of the application's time (host_options::patience)";
}

host::host(web_application& application, host_options options)
    : state_(std::make_shared<host_state>(application, options)) {}

host::~host() {
  stop();
  // The network goes: what clients still have of it must not be touched any more.
  for (const auto& each : state_->clients) {
    if (const auto client = each.lock()) client->peer.reset();
  }
  state_->run.reset();
}

http_answer host::get(std::string_view target, const windhover::headers& further) {
  return send({.method = "GET", .target = target, .headers = further});
}

http_answer host::post(std::string_view target, std::string_view body, const windhover::headers& further) {
  return send({.method = "POST", .target = target, .headers = further, .body = body});
}

http_answer host::send(const http_question& question) {
  state_->require_running();
  const std::string bytes = encode(question);
  memory_peer peer(state_->run->network(), application_run::address());
  response_reader reader;
  peer.on_bytes = [&reader](std::string_view arrived) { reader.feed(arrived); };
  peer.queue(bytes);
  const std::string what = std::string(question.method) + " " + std::string(question.target);
  read_response answer = wait_for_response(*state_, peer, reader, question.method == "HEAD", what);
  peer.end();
  state_->settle();
  return answer_of(std::move(answer));
}

client_websocket host::connect_websocket(std::string_view target, const websocket_connect_options& options) {
  state_->require_running();
  const std::string key = wire::make_handshake_key(state_->random);
  auto made = std::make_shared<client_websocket_state>(state_, options.answers_pings);
  memory_peer& peer = *made->peer;
  response_reader reader;
  peer.on_bytes = [&reader](std::string_view arrived) { reader.feed(arrived); };
  peer.queue(wire::encode_client_handshake({.target = target,
                                            .host = options.host,
                                            .key = key,
                                            .protocols = options.sub_protocols,
                                            .further_fields = &options.headers}));
  const std::string what = "the WebSocket request for " + std::string(target);
  read_response answer = wait_for_response(*state_, peer, reader, false, what);
  const auto outcome = wire::verify_server_handshake(answer.status, answer.fields, key, options.sub_protocols);
  if (outcome.failure != wire::handshake_failure::none) {
    const std::string status = std::to_string(answer.status);
    throw handshake_refused(what + " was answered with " + status + ": " + std::string(wire::describe(outcome.failure)),
                            answer_of(std::move(answer)));
  }
  made->open(outcome.protocol, reader.take_rest());
  std::erase_if(state_->clients, [](const auto& each) { return each.expired(); });
  state_->clients.push_back(made);
  return client_websocket(std::move(made));
}

void host::advance(std::chrono::nanoseconds time) {
  state_->require_running();
  const net::time_point end = state_->run->network().now() + std::chrono::duration_cast<net::duration>(time);
  state_->run_until(end, [] { return false; });
}

void host::settle() { state_->settle(); }

std::chrono::nanoseconds host::elapsed() const noexcept { return state_->run->network().now() - net::time_point(); }

int host::stop() {
  if (state_->exit_code) return *state_->exit_code;
  state_->require_running();
  state_->run->stop();
  state_->run_until(net::time_point::max(), [this] { return state_->run->ended(); });
  state_->exit_code = state_->run->clean() ? 0 : 1;
  // What the server said last is seen by its clients.
  state_->settle();
  return *state_->exit_code;
}

}  // namespace windhover::testing
