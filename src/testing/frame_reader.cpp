#include "testing/frame_reader.hpp"

#include <limits>
#include <utility>

namespace windhover::testing {

frame_reader::frame_reader(std::uint64_t message_size, bool compression)
    : decoder_(wire::role::client,
               {.message_size = message_size, .fragments = std::numeric_limits<std::uint32_t>::max()}, compression) {}

std::optional<read_frame> frame_reader::next(std::span<const std::byte>& in) {
  if (decoder_.error() != wire::websocket_error::none) return std::nullopt;
  if (!in_frame_) {
    if (decoder_.read_header(in) != wire::frame_decoder::step::frame) return std::nullopt;
    in_frame_ = true;
    done_ = 0;
    payload_.assign(static_cast<std::size_t>(decoder_.frame().payload_length), '\0');
  }
  while (decoder_.payload_remaining() > 0 && !in.empty() && decoder_.error() == wire::websocket_error::none) {
    done_ += decoder_.read_payload(in, std::as_writable_bytes(std::span(payload_)).subspan(done_));
  }
  if (decoder_.error() != wire::websocket_error::none || decoder_.payload_remaining() > 0) return std::nullopt;
  in_frame_ = false;
  if (!decoder_.end_frame()) return std::nullopt;
  const auto frame = decoder_.frame();
  return read_frame{frame.code, frame.first, frame.fin, frame.compressed, std::exchange(payload_, {})};
}

}  // namespace windhover::testing
