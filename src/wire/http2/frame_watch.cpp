#include "wire/http2/frame_watch.hpp"

#include <algorithm>

namespace windhover::wire::http2 {
namespace {

constexpr std::uint8_t data = 0;
constexpr std::uint8_t headers = 1;
constexpr std::uint8_t priority = 2;
constexpr std::uint8_t last_known = 9;  // CONTINUATION

// So many streams are remembered. Clients number them one after the other, and frames on the way do not stay there.
constexpr std::size_t most_passed_over = 16;
constexpr std::size_t most_reset = 1024;

}  // namespace

std::span<const std::byte> frame_watch::take(std::span<const std::byte>& in, std::size_t& left) noexcept {
  const auto taken = in.first(std::min(in.size(), left));
  in = in.subspan(taken.size());
  left -= taken.size();
  return taken;
}

std::uint32_t frame_watch::number(std::size_t at) const noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(header_[at + i]);
  return value;
}

// How much of a frame is looked at. Of PRIORITY it is the payload too, which is as short as a header.
std::size_t frame_watch::wanted() const noexcept {
  const bool has_priority = held_ >= header_size && type() == priority && length() == priority_size;
  return has_priority ? header_size + priority_size : header_size;
}

bool frame_watch::complete_header(std::span<const std::byte>& in) noexcept {
  while (held_ < wanted()) {
    if (in.empty()) return false;
    std::size_t missing = wanted() - held_;
    const auto more = take(in, missing);
    std::ranges::copy(more, std::span(header_).subspan(held_, more.size()).begin());
    held_ += more.size();
  }
  return true;
}

std::optional<error_code> frame_watch::judge(standing now) {
  if (type() == priority) return judge_priority();
  const std::int32_t id = stream();
  const bool is_ours_to_judge = (type() == data || type() == headers) && id % 2 == 1 && !shut_down_;
  if (!is_ours_to_judge) return std::nullopt;
  if (id > highest_) {
    if (type() != headers) return std::nullopt;  // nghttp2 refuses data on an idle stream
    if (id > highest_ + 2) {
      if (passed_over_.size() == most_passed_over) passed_over_.erase(passed_over_.begin());
      passed_over_.emplace_back(highest_ + 1, id - 1);
    }
    highest_ = id;
    return std::nullopt;
  }
  if (now == standing::open || was_reset(id)) return std::nullopt;
  return was_passed_over(id) ? error_code::protocol_error : error_code::stream_closed;
}

std::optional<error_code> frame_watch::judge_priority() const noexcept {
  if (stream() == 0) return error_code::protocol_error;
  if (length() != priority_size) return std::nullopt;
  const auto depends_on = static_cast<std::int32_t>(number(header_size) & 0x7FFFFFFF);
  return depends_on == stream() ? std::optional(error_code::protocol_error) : std::nullopt;
}

bool frame_watch::is_idle() const noexcept { return type() == priority || type() > last_known; }

bool frame_watch::was_passed_over(std::int32_t id) const noexcept {
  return std::any_of(passed_over_.begin(), passed_over_.end(),
                     [id](const auto& each) { return id >= each.first && id <= each.second; });
}

bool frame_watch::was_reset(std::int32_t id) const noexcept {
  return std::find(reset_.begin(), reset_.end(), id) != reset_.end();
}

void frame_watch::note_reset(std::int32_t id) {
  if (reset_.size() < most_reset) {
    reset_.push_back(id);
    return;
  }
  reset_[next_reset_] = id;
  next_reset_ = (next_reset_ + 1) % most_reset;
}

}  // namespace windhover::wire::http2
