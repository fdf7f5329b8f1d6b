// What a client's connection begins with (RFC 9113, section 3.4).
#pragma once

#include <string_view>

namespace windhover::wire::http2 {

inline constexpr std::string_view client_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace windhover::wire::http2
