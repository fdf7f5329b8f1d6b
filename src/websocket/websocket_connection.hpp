// The protocol of one open WebSocket: bytes from the transport become messages for the handler, what the handler sends
// becomes frames. It answers pings, keeps the connection alive and does both halves of the closing handshake by itself.
//
// It is the driver that takes over a transport at the upgrade, and is destroyed with it. The handler sees it through
// websocket objects. Code of the handler runs inside on_bytes, on_writable, on_failure and the timer: after every place
// where a coroutine is resumed the state may be another one.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "net/event_loop.hpp"
#include "net/timer.hpp"
#include "net/transport.hpp"
#include "websocket/inbound_messages.hpp"
#include "websocket/sending_watch.hpp"
#include "websocket/websocket_compression.hpp"
#include "websocket/websocket_counters.hpp"
#include "websocket/websocket_slot.hpp"
#include "wire/utf8.hpp"
#include "wire/websocket/decoder.hpp"
#include "wire/websocket/frame.hpp"
#include <windhover/websocket.hpp>

namespace windhover {

// The settings of a connection, checked.
struct websocket_settings {
  std::uint64_t max_message_size = 1U << 20;
  std::uint64_t max_unsent_bytes = 16U << 20;
  std::uint32_t max_fragments = 131'072;
  std::uint32_t max_control_frames = 1000;  // in a second; 0: any number
  std::uint32_t max_frame_size = 0;         // of a frame that is sent; 0: no limit
  std::uint32_t max_queued_messages = 16'384;
  std::uint32_t receive_chunk = 4096;
  std::uint32_t max_queued_bytes = 64U << 10;
  std::uint32_t max_inbound_bytes = 64U << 10;
  // Milliseconds; 0 as said in websocket_options.
  std::uint32_t keep_alive_interval = 120'000;
  std::uint32_t keep_alive_timeout = 20'000;
  std::uint32_t close_timeout = 5'000;
  std::uint32_t stalled_timeout = 300'000;
};

// One for all connections that have the same, so that a socket does not pay for its settings. Null: the defaults.
using shared_websocket_settings = std::shared_ptr<const websocket_settings>;

class websocket_connection final : public net::driver {
 public:
  // The transport must outlive it, and so must the exchange, which is told when the connection fails (null: nobody is).
  // `compression` is null where none was negotiated.
  websocket_connection(net::transport& on, http::exchange* exchange, wire::role role,
                       shared_websocket_settings settings, std::string_view sub_protocol,
                       std::unique_ptr<websocket_compression> compression = nullptr);
  ~websocket_connection() override;

  // The object for the handler; once.
  websocket make_websocket() noexcept { return {slot_, slot_.generation.load(std::memory_order_relaxed)}; }
  // Before it, in the client's role: nothing but the object keeps the connection, which stays until the object has
  // gone.
  void hold() noexcept { held_ = true; }
  // Instead: runs a handler that needs nothing of the request, on an object of the connection's own, so that an idle
  // socket costs neither the exchange nor the pipeline's frames. The socket is closed with 1000 when the handler
  // returns, with 1011 and a line in the log when it throws. `name` is for that line and must outlive the connection.
  void run(const std::function<task<>(websocket&)>& handler, const std::string& name) noexcept;

  // net::driver
  std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override;
  void on_writable() noexcept override;
  void on_end() noexcept override;
  void on_failure(const net::failure& why) noexcept override;
  bool finished() const noexcept override { return !handler_running_ && !held_; }
  void drain() noexcept override {
    start_close(close_code::going_away,
                role_ == wire::role::server ? "the server is shutting down" : "the client is shutting down");
  }
  std::string describe() const override;

  // What websocket asks for.
  bool take_received(websocket::receive_awaiter& awaiter);
  void wait_received(websocket::receive_awaiter& awaiter) noexcept;
  bool take_piece(websocket::receive_into_awaiter& awaiter);
  void wait_piece(websocket::receive_into_awaiter& awaiter) noexcept;
  task<received> receive_stoppable(std::stop_token stop);
  task<receive_result> receive_stoppable(std::span<std::byte> into, std::stop_token stop);

  bool send(wire::opcode code, std::span<const std::byte> payload, end_of_message end, disable_compression compression);
  bool send(const message& whole, disable_compression compression);
  bool send(const prepared_message& shared);
  bool may_send_now() const noexcept { return !stream_.above_high_water() || !can_send(); }
  void wait_writable(websocket::send_awaiter& awaiter) noexcept;

  // False: a close frame was sent before, or the connection has ended.
  bool start_close(std::optional<close_code> code, std::string_view reason) noexcept;
  // The same from the handler: once our close frame is out, messages that still arrive are dropped.
  void close(close_code code, std::string_view reason);
  bool close_output(close_code code, std::string_view reason);
  bool ended() const noexcept { return state_ == websocket_state::closed || state_ == websocket_state::aborted; }
  void wait_closed(websocket::close_awaiter& awaiter) noexcept;
  void abort() noexcept;
  // The handler's object has gone.
  void scope_ended(bool during_exception) noexcept;

  websocket_state state() const noexcept { return state_; }
  std::optional<close_code> close_status() const noexcept;
  std::string_view close_reason() const noexcept { return reason_ ? std::string_view(*reason_) : std::string_view(); }
  std::string_view sub_protocol() const noexcept { return sub_protocol_ ? std::string_view(*sub_protocol_) : ""; }
  std::string_view extensions() const noexcept { return compression_ ? compression_->agreed() : ""; }
  websocket_handle handle();
  std::size_t queued_bytes() const noexcept { return stream_.queued_bytes(); }
  // Whether a whole message can be sent and would not wait behind others.
  bool may_take_message() const noexcept { return can_send() && !sending_fragments_ && !stream_.above_high_water(); }
  // Told from now on what becomes of sending, as long as it is needed. Not to be called by a watch.
  void add_watch(std::unique_ptr<sending_watch> added) noexcept;
  sending_watch* find_watch(const void* owner) const noexcept;
  // Whether the handler is within a message that it sends in fragments.
  bool sending_fragments() const noexcept { return sending_fragments_; }
  // Messages that have arrived and were not received yet.
  std::size_t held_bytes() const noexcept { return inbound_.held_bytes(); }
  net::event_loop& loop() const noexcept { return stream_.loop(); }

 private:
  // Decoding.
  bool decode(std::span<const std::byte>& bytes);
  bool decode_payload(std::span<const std::byte>& bytes);
  bool decode_compressed_payload(std::span<const std::byte>& bytes);
  void inflate(std::span<const std::byte>& in);
  bool must_leave_octets();
  bool inflated_enough() const noexcept;
  bool take_portion(const inbound_compression::portion& portion, bool ends);
  bool begin_frame_where_compression_is();
  bool count_where_compression_is(bool first, std::uint64_t payload_length);
  bool end_compressed_message();
  void decode_control(std::span<const std::byte>& bytes);
  bool hand_over_whole_message(std::span<const std::byte>& bytes);
  void begin_data_frame();
  void end_data_frame();
  void handle_control_frame(wire::opcode code, std::span<const std::byte> payload);
  void handle_close_frame(std::span<const std::byte> payload);
  void fail(wire::websocket_error error) noexcept;
  void count(wire::websocket_error error) noexcept;
  void count_compression_shortage() noexcept {
    if (compression_ && compression_->notice_shortage()) ++counters_.compression_shortages;
  }
  bool should_pause() const noexcept;
  void note_pause() noexcept;
  void resume_reading() noexcept;

  // Handing over.
  void offer_message() noexcept;
  void offer_piece() noexcept;
  void finish_piece(end_of_message end) noexcept;
  void end_receivers() noexcept;
  bool receiving_is_over() const noexcept {
    return receiving_failed_ || (state_ != websocket_state::open && state_ != websocket_state::close_sent);
  }
  // The stop may be part of the end.
  received::outcome outcome_of_stopping() const noexcept {
    return receiving_is_over() ? received::outcome::closed : received::outcome::cancelled;
  }
  void require_no_receiver() const;

  // Sending.
  bool can_send() const noexcept {
    return (state_ == websocket_state::open || state_ == websocket_state::close_received) && !stream_.closing();
  }
  void queue_frame(wire::opcode code, bool fin, std::span<const std::byte> payload, bool compressed = false);
  void queue_small_frame(wire::opcode code, bool fin, std::span<const std::byte> payload, bool compressed) noexcept;
  void queue_frames(wire::opcode code, bool fin, std::span<const std::byte> payload, bool compressed = false);
  void queue_shared(wire::opcode code, bool fin, base::buffer& owner, std::span<const std::byte> payload);
  void queue_shared_in_frames(wire::opcode code, base::buffer& owner, std::span<const std::byte> payload);
  bool must_be_cut(std::span<const std::byte> payload) const noexcept {
    return settings_->max_frame_size != 0 && payload.size() > settings_->max_frame_size;
  }
  bool may_queue() noexcept {
    return can_send() && (stream_.queued_bytes() <= settings_->max_unsent_bytes || refuse_to_queue());
  }
  bool refuse_to_queue() noexcept;
  wire::utf8_validator check_text(message_type type, std::span<const std::byte> payload, end_of_message end) const;
  bool too_many_control_frames() noexcept;
  bool queue_compressed(message_type type, std::span<const std::byte> payload, end_of_message end,
                        disable_compression disabled);
  bool sent() noexcept;
  void tell_of_ended_message() noexcept;
  void tell_watches(void (sending_watch::*what)() noexcept) noexcept;
  void sending_is_over() noexcept;
  void queue_data(message_type type, end_of_message end, std::span<const std::byte> payload);
  void queue_control(wire::opcode code, std::span<const std::byte> payload) noexcept;
  void queue_close_frame(std::optional<close_code> code, std::string_view reason) noexcept;
  wire::opcode data_opcode(message_type type, end_of_message end) noexcept;
  std::optional<wire::masking_key> mask() const noexcept;

  // Ending.
  void answer_close() noexcept;
  void become_closed() noexcept;
  void become_aborted() noexcept;
  void break_off() noexcept;
  void tell_of_breaking_off() noexcept;
  void end_everything() noexcept;
  void resume_senders() noexcept;
  void resume_closers() noexcept;
  void remember_reason(std::string_view reason) noexcept;

  // The handler of run().
  static std::coroutine_handle<> handler_ended(void* self) noexcept;
  void handler_has_ended(const std::exception_ptr& failure) noexcept;

  // Time.
  void arm(std::uint32_t milliseconds) noexcept;
  void arm_next() noexcept;
  net::time_point keep_alive_due() const noexcept;
  void on_timer() noexcept;
  void keep_alive() noexcept;
  void send_ping() noexcept;

  struct control_payload {
    std::array<std::byte, wire::maximum_control_payload> bytes;
    std::uint8_t size = 0;
  };

  net::transport& stream_;
  http::exchange* exchange_;
  websocket_counters& counters_;  // the loop's
  shared_websocket_settings settings_;
  wire::frame_decoder decoder_;
  inbound_messages inbound_;
  std::unique_ptr<control_payload> control_;       // a control frame that came in pieces
  std::unique_ptr<control_payload> pending_pong_;  // the latest pong that found the queue full
  websocket::receive_awaiter* receiver_ = nullptr;
  websocket::receive_into_awaiter* piece_receiver_ = nullptr;
  websocket::send_awaiter* first_sender_ = nullptr;
  websocket::send_awaiter* last_sender_ = nullptr;
  websocket::close_awaiter* first_closer_ = nullptr;
  std::shared_ptr<websocket_handle::shared_state> handle_;
  std::unique_ptr<sending_watch> watches_;
  std::unique_ptr<websocket_compression> compression_;
  std::unique_ptr<std::string> sub_protocol_;
  std::unique_ptr<std::string> reason_;
  // From here on construction must not fail: the slot is let go of by the destructor, and the object would close.
  websocket_slot& slot_;
  websocket own_object_;  // for run()
  task<> handler_;
  const std::string* name_ = nullptr;
  net::timer timer_;
  net::time_point last_received_;
  net::time_point sign_sent_;  // of life: a ping, or an unsolicited pong
  net::time_point paused_since_{};
  std::uint64_t pings_ = 0;
  std::uint32_t control_frames_ = 0;  // that came within the second
  std::uint32_t control_second_ = 0;
  close_code close_code_{};
  wire::utf8_validator sending_text_;                 // what was sent of a text in fragments
  message_type sending_type_ = message_type::binary;  // of the message that is sent in fragments
  websocket_state state_ = websocket_state::open;
  wire::role role_;
  bool in_frame_ = false;
  bool awaiting_pong_ = false;
  bool paused_ = false;
  bool drop_messages_ = false;
  bool receiving_failed_ = false;
  bool sending_fragments_ = false;
  bool breaking_off_ = false;  // the timer has to tell those who wait
  bool handler_running_ = false;
  bool held_ = false;
};

}  // namespace windhover
