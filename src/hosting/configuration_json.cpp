#include "hosting/configuration_json.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "hosting/configuration_keys.hpp"
#include "hosting/printable_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

// The line of the character that the parser took last. When the parser reports a value, that is the value's line: it
// has read the value's last character or the one behind it, and a line break still belongs to the line that it ends.
struct line_counter {
  std::size_t line = 1;
  bool at_line_break = false;

  void take(char character) {
    if (at_line_break) ++line;
    at_line_break = character == '\n';
  }
};

// Walks over the text for the parser and tells the counter.
class counting_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* position, line_counter& counter) : position_(position), counter_(&counter) {}

  reference operator*() const { return *position_; }
  counting_iterator& operator++() {
    counter_->take(*position_++);
    return *this;
  }
  counting_iterator operator++(int) {
    const counting_iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const counting_iterator& other) const { return position_ == other.position_; }
  bool operator!=(const counting_iterator& other) const { return position_ != other.position_; }

 private:
  const char* position_;
  line_counter* counter_;
};

// Takes the parser's events; the names of its functions are the library's.
class flattening_handler : public nlohmann::json_sax<nlohmann::json> {
 public:
  flattening_handler(std::string_view text, std::string_view file_name, const line_counter& counter)
      : text_(text), file_name_(file_name), counter_(counter) {}

  std::vector<configuration_entry> take_entries() { return std::move(entries_); }

  bool null() override { return add(std::nullopt); }
  bool boolean(bool value) override { return add(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return add(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& written) override { return add(written); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON text has none

  bool start_object(std::size_t) override {
    enter();
    levels_.push_back({section_, std::nullopt});
    return true;
  }
  bool key(string_t& name) override {
    section_ = join_keys(levels_.back().section, name);
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    require_object();
    enter();
    levels_.push_back({section_, 0});
    return true;
  }
  bool end_array() override { return leave(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    // The library counts lines and columns its own way; here a column is a byte of the line, counted from 1.
    const std::string_view before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
    std::string_view reason = error.what();
    constexpr std::string_view place = ", column ";
    if (const std::size_t at = reason.find(place); at != std::string_view::npos)
      if (const std::size_t colon = reason.find(": ", at); colon != std::string_view::npos)
        reason.remove_prefix(colon + 2);
    throw configuration_error(printable(file_name_) + ", line " + std::to_string(line) + ", column " +
                              std::to_string(column) + ": " + printable(reason));
  }

 private:
  struct level {
    std::string section;
    std::optional<std::size_t> next_index;  // an array's
  };

  // Where the values that come next belong: an element of an array has its number for a key.
  void enter() {
    if (levels_.empty() || !levels_.back().next_index) return;
    section_ = join_keys(levels_.back().section, std::to_string((*levels_.back().next_index)++));
  }

  bool leave() {
    levels_.pop_back();
    return true;
  }

  void require_object() const {
    if (levels_.empty()) throw configuration_error(origin() + ": the outermost value must be an object");
  }

  std::string origin() const { return std::string(file_name_) + ", line " + std::to_string(counter_.line); }

  bool add(std::optional<std::string> value) {
    require_object();
    enter();
    if (!seen_.insert(section_).second)
      throw configuration_error(printable(origin()) + ": the key " + printable(section_) + " is set twice");
    entries_.push_back({section_, std::move(value), origin()});
    return true;
  }

  std::string_view text_;
  std::string_view file_name_;
  const line_counter& counter_;
  std::vector<level> levels_;
  std::string section_;
  std::set<std::string, configuration_key_less> seen_;
  std::vector<configuration_entry> entries_;
};

}  // namespace

std::vector<configuration_entry> entries_from_json(std::string_view text, std::string_view file_name) {
  line_counter counter;
  flattening_handler handler(text, file_name, counter);
  const counting_iterator first(text.data(), counter);
  const counting_iterator last(text.data() + text.size(), counter);
  constexpr bool whole_text = true;
  constexpr bool comments_allowed = true;
  nlohmann::json::sax_parse(first, last, &handler, nlohmann::json::input_format_t::json, whole_text, comments_allowed);
  return handler.take_entries();
}

std::vector<configuration_entry> entries_from_json_file(const std::filesystem::path& file) {
  std::error_code error;
  if (const auto status = std::filesystem::status(file, error); status.type() == std::filesystem::file_type::not_found)
    return {};
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (!std::filesystem::is_directory(file, error)) text << stream.rdbuf();
  // An empty file is no JSON either, and the parser says so.
  if (!stream.is_open() || stream.bad() || std::filesystem::is_directory(file, error))
    throw configuration_error(printable(file.string()) + ": the file cannot be read");
  return entries_from_json(text.str(), file.string());
}

}  // namespace windhover::hosting
