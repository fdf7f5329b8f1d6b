// One WebSocket of a load, behind its handshake: counts the messages that come, and knows when those were sent that
// they answer. Not a websocket_connection: what it need not do it does not, so that a generator keeps up with servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load/message_pool.hpp"
#include "net/time.hpp"
#include "net/transport.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/deflate.hpp"
#include "wire/websocket/deflate_negotiation.hpp"

namespace windhover::load {

// Times in the order in which they were put in.
class time_queue {
 public:
  std::size_t size() const noexcept { return last_ - first_; }
  void push(net::time_point when);
  net::time_point pop() noexcept { return times_[first_++ & (times_.size() - 1)]; }

 private:
  std::vector<net::time_point> times_;  // a power of two
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

class load_connection final : public net::driver {
 public:
  // A message that has come.
  struct arrival {
    std::size_t position;        // its place among all of this connection, from 0
    std::size_t size;            // octets of payload on the wire
    std::string_view beginning;  // the first octets, where they are looked at
  };
  // Who is told. Nothing is told from within a call of the connection.
  class listener {
   public:
    // The handshake has succeeded. `opened` lives until on_ended.
    virtual void on_open(load_connection& opened) noexcept = 0;
    virtual void on_message(load_connection& to, const arrival& message) noexcept = 0;
    // Whatever came together has been told.
    virtual void on_pause(load_connection& of) noexcept = 0;
    // The connection has ended, as the last thing. `why` is empty where it was we who closed it.
    virtual void on_ended(load_connection& which, const std::string& why) noexcept = 0;

   protected:
    ~listener() = default;
  };
  struct settings {
    const message_pool& messages;
    bool check = false;       // looks at every octet: the messages of the pool must come, in their order
    bool text = false;        // the type that they must have
    bool beginnings = false;  // tells how messages begin
    std::optional<wire::deflate_parameters> compression = std::nullopt;
  };

  load_connection(net::transport& on, listener& tells, const settings& with);

  // Sends the next `count` messages of the pool. What comes back for them is measured from `when`.
  void send(std::size_t count, net::time_point when);
  // Sends something else, a whole frame.
  void send_frame(std::span<const std::byte> frame) noexcept { stream_.queue_copy(frame); }
  std::size_t unanswered() const noexcept { return sent_at_.size(); }
  // The oldest of these, of which there must be one, has its answer: the time that it was sent for.
  net::time_point answered() noexcept { return sent_at_.pop(); }

  // Sends a close frame; the server then ends the connection.
  void close() noexcept;
  void abort() noexcept { stream_.abort(); }

  // For whoever keeps it: where.
  std::size_t place = 0;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override {}
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override { return ended_; }
  void drain() noexcept override { abort(); }
  std::string describe() const override { return "a connection of a load"; }

 private:
  bool decode(std::span<const std::byte>& bytes);
  bool decode_payload(std::span<const std::byte>& bytes);
  bool take_payload(std::span<const std::byte> payload);
  template <class NextPiece>
  bool look_at_inflated(NextPiece next_piece);
  bool look_at(std::span<const std::byte> content);
  bool compare(std::span<const std::byte> content);
  bool end_of_message();
  bool check_end();
  void end_of_control();
  void send_control(wire::opcode code, std::span<const std::byte> payload) noexcept;
  bool fail(std::string_view why);
  void end() noexcept;

  net::transport& stream_;
  listener& listener_;
  const message_pool& messages_;
  wire::frame_decoder decoder_;
  std::unique_ptr<wire::inflater> inflater_;  // where somebody looks at what is compressed
  time_queue sent_at_;
  std::string beginning_;
  std::string control_;  // the payload of the control frame that is coming
  std::string failure_;
  std::size_t next_sent_ = 0;      // of the pool
  std::size_t next_received_ = 0;  // likewise
  std::size_t size_ = 0;           // octets of the message that is coming
  std::size_t compared_ = 0;       // octets of its content that were compared
  bool check_;
  bool text_;
  bool beginnings_;
  bool compress_;
  bool in_frame_ = false;
  bool closing_ = false;
  bool close_seen_ = false;
  bool ended_ = false;
};

}  // namespace windhover::load
