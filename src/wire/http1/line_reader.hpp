// Takes lines from a byte stream that arrives in pieces. Heads, chunk sizes and trailers are made of lines, so that
// everything between two messages' bodies goes through here.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace windhover::wire::http1 {

// A line ends with CR LF and with nothing else: that a bare LF ends one is allowed by RFC 9112, section 2.2, but two
// parsers that disagree about it see different requests. A line that is complete in the input is not copied; only the
// part of a line that waits for its rest is kept.
class line_reader {
 public:
  enum class outcome { needs_more, line, too_long, malformed };

  // Advances `in` behind the next line or to its end. `limit` is the number of bytes that the line may have with its
  // line end; it must not shrink while a line is under way. The outcomes but for `line` are independent of how the
  // stream was cut.
  outcome next(std::span<const std::byte>& in, std::size_t limit);

  // The line without its end, after `line`; valid until the next call, and no longer than the input.
  std::string_view line() const noexcept { return line_; }

  // Whether the beginning of a line is kept.
  bool under_way() const noexcept { return !complete_ && !kept_.empty(); }

  // Gives the memory back. Not while a line is under way.
  void release() noexcept;

 private:
  std::string kept_;
  std::string_view line_;
  bool complete_ = false;
};

}  // namespace windhover::wire::http1
