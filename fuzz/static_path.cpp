// From the path of a request to a file below the root: whatever the request says, the file is not outside, not hidden,
// and of a name that the file system takes as one path. Input: an option (the prefix), the path as on the wire.
#include "http/static_path.hpp"

#include <array>
#include <filesystem>
#include <string>

#include "input.hpp"
#include "wire/http1/grammar.hpp"
#include "wire/http1/target.hpp"

namespace windhover::fuzz {

namespace {

void try_path(const std::string& path, std::string_view prefix) {
  const auto found = http::to_static_path(path, prefix);
  if (!found) return;
  require(path.starts_with(prefix), "only what stands below the prefix is found");
  const std::string below(found->below_root);
  require(std::string_view(path).find(below) != std::string_view::npos, "what is found is a part of the path");
  require(below.find('\0') == std::string::npos && below.find('\\') == std::string::npos,
          "without characters to trick with");
  require(!below.starts_with('/') && !below.ends_with('/'), "without a slash at either end");

  const std::filesystem::path root("/root/folder");
  const std::filesystem::path file = (root / below).lexically_normal();
  const auto relative = file.lexically_relative(root);
  require(below.empty() || relative.string() == below, "below the root, by the way that is said");
  if (below.empty()) return;
  for (const auto& segment : relative)
    require(!segment.empty() && segment.string().front() != '.', "not hidden, and it does not climb");
}

// A Location leads back to the same path.
void try_encoding(const std::string& decoded) {
  if (decoded.find('\0') != std::string::npos) return;  // no target has one
  const std::string encoded = http::encode_path(decoded);
  require(encoded.empty() || wire::http1::is_request_target(encoded), "an encoded path can be a target");
  require(encoded.find_first_of("?#\\\"<> ") == std::string::npos, "of nothing but a path");
  require(wire::http1::percent_decode_path(encoded) == decoded, "and is decoded to the same path");
}

}  // namespace

void try_input(input in) {
  constexpr std::array<std::string_view, 4> prefixes{"", "/files", "/a/b", "/.hidden"};
  const std::string_view prefix = in.one_of(prefixes);
  const std::string path(in.text());
  // As it comes from the wire, and as it would be if nobody had decoded it.
  try_path(path, prefix);
  if (const auto decoded = wire::http1::percent_decode_path(path)) {
    try_path(*decoded, prefix);
    try_encoding(*decoded);
  }
}

}  // namespace windhover::fuzz
