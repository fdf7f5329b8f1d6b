// Lines from pieces of a stream.
#include "wire/http1/line_reader.hpp"

#include <algorithm>
#include <cstring>

namespace windhover::wire::http1 {

line_reader::outcome line_reader::next(std::span<const std::byte>& in, std::size_t limit) {
  if (complete_) kept_.clear();
  complete_ = false;
  if (in.empty()) return outcome::needs_more;

  const std::size_t room = limit - std::min(limit, kept_.size());
  const std::size_t available = std::min(in.size(), room);
  const char* const begin = reinterpret_cast<const char*>(in.data());
  const void* const line_feed = available == 0 ? nullptr : std::memchr(begin, '\n', available);
  if (line_feed == nullptr) {
    if (available == room) return outcome::too_long;
    kept_.append(begin, available);
    in = in.subspan(available);
    return outcome::needs_more;
  }

  const std::size_t taken = static_cast<std::size_t>(static_cast<const char*>(line_feed) - begin) + 1;
  if (kept_.empty()) {
    line_ = std::string_view(begin, taken);
  } else {
    kept_.append(begin, taken);
    line_ = kept_;
  }
  in = in.subspan(taken);
  complete_ = true;
  if (!line_.ends_with("\r\n")) return outcome::malformed;
  line_.remove_suffix(2);
  return outcome::line;
}

void line_reader::release() noexcept {
  kept_ = std::string();
  line_ = {};
  complete_ = false;
}

}  // namespace windhover::wire::http1
