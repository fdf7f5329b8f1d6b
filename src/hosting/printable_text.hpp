// Text from outside, made safe for one line of a terminal or a log file. What the network sends must not be able to
// start a line that looks like ours, to move the cursor, to clear the screen or to turn the writing direction around.
#pragma once

#include <string>
#include <string_view>

namespace windhover::hosting {

// Appends the text to `output`. Well-formed UTF-8 stays as it is, except that control characters (C0, DELETE, C1), line
// and paragraph separators and the marks that direct bidirectional text become \n, \r, \t, \xHH or \u{HHHH}; a byte
// that is no part of well-formed UTF-8 becomes \xHH. A backslash stays a backslash, so that paths can be read: the
// result is safe, but cannot always be turned back.
void append_printable(std::string& output, std::string_view text);

std::string printable(std::string_view text);

}  // namespace windhover::hosting
