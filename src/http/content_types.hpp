// The Content-Type of a file, by the extension of its name.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <windhover/static_file_options.hpp>

namespace windhover::http {

// The list is the part of ASP.NET Core's that is in use today. Other than there, text carries its charset, so that
// pages which do not name one are read as the UTF-8 that they are.
class content_types {
 public:
  // Throws std::invalid_argument for an extension that does not begin with a dot.
  explicit content_types(std::span<const static_file_options::content_type> additional = {});

  // The type of a file of that name or path; nothing for an unknown extension. The view lives as long as this object.
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  std::map<std::string, std::string> additional_;  // by extension, in lower case
};

}  // namespace windhover::http
