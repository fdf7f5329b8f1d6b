// Both ends of an HTTP/2 connection: the server's, under test, which a client reaches by knowing that it is one, and
// the client of support/http2_peer.hpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "connection_peers.hpp"
#include "support/http2_peer.hpp"

namespace windhover::http {

class http2_peers {
 public:
  explicit http2_peers(std::size_t cut = uncut) : ends(cut) { listen(); }
  explicit http2_peers(test::kind_of_transport kind) : ends(kind) { listen(); }

  // The preface, settings, and whatever is to follow at once.
  void connect(std::string_view further = {}, std::string_view settings = {}) {
    ends.connect();
    ends.send(peer.begin(settings) + std::string(further));
  }
  void send(std::string_view bytes) { ends.send(bytes); }

  template <class Done>
  void run_until(Done&& done) {
    ends.run_until(std::forward<Done>(done));
  }
  void run_idle() { ends.run_idle(); }
  // Until the streams have been answered to their ends, or reset.
  void run_until_answered(std::uint32_t stream) {
    run_until([&] { return peer.answer(stream).ended || peer.answer(stream).reset; });
  }
  // Until both ends have been destroyed, which they must be without anybody's help once the client has ended its side.
  void close_and_run_until_gone() {
    if (!ends.client.failed) ends.client_end->close();
    ends.run_until_gone();
  }
  test::received_answer& answer(std::uint32_t stream) { return peer.answer(stream); }
  server_context& context() { return ends.context; }
  const http_counters& counters() { return *ends.context.counters; }

  test::http2_peer peer;
  connection_peers ends;

 private:
  void listen() {
    ends.client.after_bytes = [this] { peer.take(std::exchange(ends.client.received, {})); };
  }
};

}  // namespace windhover::http
