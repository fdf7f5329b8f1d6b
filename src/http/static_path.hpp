// From the path of a request to the path of a file below the root, and back. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace windhover::http {

// Where a request points to below the root.
struct static_path {
  std::string_view below_root;  // "css/site.css": no slash at either end; empty for the root itself
  bool names_folder = false;    // the request's path ends with a slash
};

// `path` is decoded and without dot segments, as http_request::path() is; `prefix` is empty or "/files". Nothing for a
// path that stands elsewhere, or that no file is given away for: with empty segments, with segments that begin with a
// dot (hidden files, and what is left of attempts to climb), with NUL or backslash, or with an encoded slash. The view
// is one of `path`.
std::optional<static_path> to_static_path(std::string_view path, std::string_view prefix) noexcept;

// The decoded path as it stands in a URI (RFC 3986, section 3.3). The inverse of decoding: whatever had to be encoded
// is encoded again, so that nothing of the request's own spelling comes back in a Location.
std::string encode_path(std::string_view path);

}  // namespace windhover::http
