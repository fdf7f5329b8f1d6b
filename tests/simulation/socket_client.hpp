// A scripted client that speaks WebSocket (RFC 6455), some with permessage-deflate (RFC 7692).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"
#include "support/frame_compression.hpp"
#include "testing/frame_reader.hpp"
#include "testing/response_reader.hpp"
#include "wire/websocket/deflate_negotiation.hpp"

namespace windhover::simulation {

class socket_client final : public client {
 public:
  socket_client(net::simulated_network& network, const endpoint& server, std::uint64_t seed, net::duration begins,
                int number, std::string_view path, client_notes& notes);

 private:
  // How it goes away when its script is over.
  enum class leaving : std::uint8_t { close, close_and_end, end_without_close, reset, silence, wait_for_server };

  void begin() override;
  std::optional<net::duration> step() override;
  void read(std::string& arrived) override;
  void over(bool failed) override;

  void read_answer(std::string& arrived);
  void begin_compression(const wire::deflate_parameters& agreed);
  void read_frame(const testing::read_frame& frame);
  void read_control(const testing::read_frame& frame);
  void say_something();
  void say(bool text, std::string_view payload);
  void frame(wire::opcode code, std::string_view payload, bool fin, bool rsv1 = false);
  void close_with(int code);
  void leave_somehow();
  void complain(std::string_view about);

  int number_;
  client_notes& notes_;
  std::string key_;
  testing::response_reader answer_;
  testing::frame_reader frames_;
  std::optional<wire::deflate_options> offered_;  // none: no compression
  std::optional<test::peer_deflater> deflater_;   // what was agreed
  std::optional<test::frame_inflater> inflater_;
  std::string message_;
  bool message_is_text_ = false;
  std::vector<std::string> pings_;
  bool eager_;  // says everything at once
  std::size_t steps_left_;
  leaving leaving_;
  bool sent_close_ = false;
  bool first_said_ = false;
};

}  // namespace windhover::simulation
