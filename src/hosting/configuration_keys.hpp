// How configuration keys compare: level by level, letters without regard to ASCII case, numbers by value and before
// names, as in ASP.NET Core. The order keeps a section's keys together, directly behind the section's own.
#pragma once

#include <string>
#include <string_view>

namespace windhover::hosting {

// The order of keys, for ordered containers.
struct configuration_key_less {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const noexcept;
};

// Whether the key lies in the section, at any depth. Every key but the empty one lies in the section "".
bool is_below(std::string_view key, std::string_view section) noexcept;

// The part of a key that lies in the section, relative to it.
std::string_view relative_key(std::string_view key, std::string_view section) noexcept;

// "A" and "B" give "A:B"; an empty part leaves the other one.
std::string join_keys(std::string_view section, std::string_view key);

// Whether the text consists of decimal digits, as the keys of list elements do.
bool is_list_index(std::string_view level) noexcept;

}  // namespace windhover::hosting
