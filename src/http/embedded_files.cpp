#include "http/embedded_files.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/base64.hpp"
#include "base/digest.hpp"
#include "http/static_path.hpp"

namespace windhover::http {

embedded_files::embedded_files(std::span<const embedded_file> files) {
  entries_.reserve(files.size());
  for (const embedded_file& each : files) {
    const auto path = to_static_path(each.path, {});
    if (!path || path->names_folder) {
      throw std::invalid_argument("an embedded file cannot have the path '" + std::string(each.path) + "'");
    }
    const auto digest = base::sha1(std::as_bytes(std::span(each.content)));
    entries_.push_back({path->below_root, each, '"' + base::base64_encode(digest) + '"'});
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const entry& one, const entry& other) { return one.path < other.path; });
}

const embedded_files::entry* embedded_files::find(std::string_view path) const noexcept {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), path,
                                      [](const entry& each, std::string_view wanted) { return each.path < wanted; });
  return found != entries_.end() && found->path == path ? &*found : nullptr;
}

std::optional<stored_file> embedded_files::open(const std::string& path) const {
  const entry* const found = find(path);
  if (found == nullptr) return std::nullopt;
  return stored_file(found->file.content, found->file.content_type, validators{found->entity_tag, std::nullopt});
}

// A folder is what stands before a slash.
bool embedded_files::has_folder(const std::string& path) const {
  return std::any_of(entries_.begin(), entries_.end(), [&path](const entry& each) {
    return path.empty() || (each.path.starts_with(path) && each.path.substr(path.size()).starts_with('/'));
  });
}

}  // namespace windhover::http
