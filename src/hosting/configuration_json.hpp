// The source of a configuration that is a JSON file (RFC 8259, with comments): objects and arrays become levels, and
// every value becomes the text it was written as.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hosting/configuration_sources.hpp"

namespace windhover::hosting {

// The entries of a JSON text whose outermost value is an object. The name stands in the entries' origins and in errors.
// Throws configuration_error, naming line and column, when the text is malformed or sets a key twice.
std::vector<configuration_entry> entries_from_json(std::string_view text, std::string_view file_name);

// The entries of a file, none if there is no such file. Throws configuration_error as above or when it cannot be read.
std::vector<configuration_entry> entries_from_json_file(const std::filesystem::path& file);

}  // namespace windhover::hosting
