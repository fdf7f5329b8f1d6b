// Writes heads and chunks of HTTP/1.1 messages (RFC 9112). What a message should contain, such as Date, Server or the
// framing of its body, is the caller's business.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <windhover/headers.hpp>

namespace windhover::wire::http1 {

// The reason phrase of a status registered with IANA (RFC 9110, section 15), or nothing.
std::string_view reason_phrase(int status) noexcept;

// Appends status line, fields and empty line. Throws std::invalid_argument for a status outside 100 to 999.
void append_response_head(std::string& out, int status, const headers& fields);

// Appends request line, fields and empty line. Throws std::invalid_argument when the method is no token or the target
// has characters that no target has (RFC 9112, section 3), because these could smuggle in another line.
void append_request_head(std::string& out, std::string_view method, std::string_view target, const headers& fields);

// Appends the size of a chunk (RFC 9112, section 7.1), whose data and then `chunk_end` must follow. Throws
// std::invalid_argument for 0, which would end the body.
void append_chunk_header(std::string& out, std::size_t size);

inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace windhover::wire::http1
