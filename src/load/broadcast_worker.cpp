#include "load/broadcast_worker.hpp"

#include <bit>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "load/pacer.hpp"
#include "wire/websocket/encoder.hpp"
#include <windhover/task_group.hpp>

namespace windhover::load {
namespace {

constexpr std::size_t digits = 16;

std::string digits_of(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || text.size() != digits || end != text.data() + digits) return std::nullopt;
  return number;
}

}  // namespace

broadcast_board::broadcast_board(std::size_t workers, std::size_t in_flight)
    : places_(std::bit_ceil(in_flight)), workers_(workers) {}

std::optional<std::uint64_t> broadcast_board::begin_message(net::time_point due) noexcept {
  const std::uint64_t number = sent_.load();
  place& free = of(number);
  if (free.workers_left.load() != 0) return std::nullopt;
  free.sent_at.store(due.time_since_epoch().count());
  free.workers_left.store(workers_);
  sent_.store(number + 1);
  return number;
}

void broadcast_board::set_sender(broadcast_worker& sender, std::shared_ptr<net::mailbox> home) {
  sender_ = &sender;
  home_ = std::move(home);
}

void broadcast_board::came_to_all() noexcept {
  ++arrived_;
  if (home_) home_->post([sender = sender_]() noexcept { sender->send_more(); });
}

broadcast_worker::broadcast_worker(const load_plan& plan, std::size_t connections, double share,
                                   std::shared_ptr<broadcast_board> board, bool sends)
    : worker(plan, connections, share), board_(std::move(board)), got_(board_->places()), sends_(sends) {}

task<> broadcast_worker::prepare() {
  co_await worker::prepare();
  if (sends_ && options().rate == 0) board_->set_sender(*this, loop().mailbox());
}

task<> broadcast_worker::run(std::stop_token stop) {
  goes_on_ = sends_;
  auto body = [this](task_group& group) -> task<> {
    if (sends_ && options().rate != 0) {
      const auto send = [this](net::time_point due) {
        if (!given_up() && send_one(due)) note_delay(loop().now() - due);
      };
      group.spawn(keep_pace(loop(), options().rate, send, group.stop_token()));
    } else {
      send_more();
    }
    co_await wait_for_the_end(group.stop_token());
  };
  co_await task_group::run(body, stop);
  goes_on_ = false;
  if (sends_) board_->end();
  // The other workers may still wait for what was sent last.
  const auto all_came = [this] { return board_->all_came(); };
  co_await finish(all_came);
}

void broadcast_worker::send_more() noexcept {
  while (goes_on_ && !given_up() && board_->under_way() < options().in_flight && send_one(loop().now())) {
  }
}

bool broadcast_worker::send_one(net::time_point due) {
  const auto next = board_->begin_message(due);
  if (!next) {
    give_up("the server does not keep up: " + std::to_string(board_->under_way()) + " messages are under way");
    return false;
  }
  std::string payload(plan().messages.payload(*next));
  payload.replace(0, digits, digits_of(*next));
  frame_.resize(wire::maximum_frame_header + payload.size());
  const wire::frame_header header{.code = options().text ? wire::opcode::text : wire::opcode::binary,
                                  .fin = true,
                                  .rsv1 = false,
                                  .mask = wire::make_masking_key(loop().random())};
  const std::size_t size = wire::encode_frame(frame_.data(), header, std::as_bytes(std::span(payload)));
  connections().front()->send_frame(std::span(frame_).first(size));
  return true;
}

void broadcast_worker::on_message(load_connection&, const load_connection::arrival& message) noexcept {
  const auto number = number_of(message.beginning);
  if (!number || *number >= board_->sent()) return give_up("a message came that nobody has sent");
  if (options().check && *number != message.position) return give_up("a message is missing, or out of its order");
  broadcast_board::place& place = board_->of(*number);
  const net::time_point sent_at{net::duration(place.sent_at.load())};
  note(loop().now() - sent_at, message.size);
  std::size_t& got = got_[*number & (board_->places() - 1)];
  if (++got < connections().size()) return;
  got = 0;
  if (place.workers_left.fetch_sub(1) == 1) board_->came_to_all();
}

}  // namespace windhover::load
