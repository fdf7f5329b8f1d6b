// The configuration's public face: the merged keys, their lookup, and the order of the sources.
#include <map>
#include <span>

#include "hosting/configuration_json.hpp"
#include "hosting/configuration_keys.hpp"
#include "hosting/configuration_sources.hpp"
#include "hosting/configuration_values.hpp"
#include "hosting/printable_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover {

using hosting::configuration_entry;
using hosting::configuration_key_less;
using hosting::unsuitable_value;

// The merged values. What a later source sets takes the place of what was there.
class configuration::store {
 public:
  struct value {
    std::string text;
    std::string origin;
  };
  using map = std::map<std::string, value, configuration_key_less>;

  const value* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }

  void set(std::string key, std::string text, std::string origin) {
    values_.insert_or_assign(std::move(key), value{std::move(text), std::move(origin)});
  }

  void merge(std::span<const configuration_entry> entries) {
    for (const configuration_entry& entry : entries) {
      if (entry.value) {
        set(entry.key, *entry.value, entry.origin);
      } else if (const auto found = values_.find(entry.key); found != values_.end()) {
        values_.erase(found);
      }
    }
  }

  // Calls `visit(relative_key)` for every key below the section, in order.
  template <typename Visitor>
  void for_each_below(std::string_view section, Visitor visit) const {
    for (auto each = values_.lower_bound(section); each != values_.end(); ++each) {
      if (hosting::is_below(each->first, section)) {
        visit(hosting::relative_key(each->first, section));
      } else if (configuration_key_less()(section, each->first)) {
        break;
      }
    }
  }

 private:
  map values_;
};

namespace {

constexpr std::string_view environment_key = "Windhover:Environment";
constexpr std::string_view content_root_key = "Windhover:ContentRoot";
constexpr std::string_view default_environment = "Production";

std::vector<configuration_entry> entries_from_defaults(const configuration_sources& sources) {
  std::vector<configuration_entry> entries;
  entries.reserve(sources.defaults.size());
  for (const auto& [key, value] : sources.defaults) entries.push_back({key, value, "default"});
  return entries;
}

// Both decide which files are read and so cannot stand in one.
void refuse_in_files(std::span<const configuration_entry> entries) {
  const configuration_key_less less;
  for (const configuration_entry& entry : entries)
    for (const std::string_view key : {environment_key, content_root_key})
      if (!less(entry.key, key) && !less(key, entry.key))
        throw configuration_error(hosting::printable(entry.origin) + ": " + std::string(key) +
                                  " decides which files are read; set it in the environment or on the command line");
}

std::string environment_name(const configuration& words) {
  std::string name = words.find(environment_key).value_or(std::string(default_environment));
  if (name.empty() || name.find('/') != std::string::npos)
    throw unsuitable_value(words.origin(environment_key), environment_key, name, "a name without '/'");
  return name;
}

std::filesystem::path content_root(const configuration& words, const std::filesystem::path& otherwise) {
  const std::optional<std::string> named = words.find(content_root_key);
  std::filesystem::path root = named ? std::filesystem::path(*named) : otherwise;
  std::error_code error;
  if (!root.empty() && !std::filesystem::is_directory(root, error))
    throw unsuitable_value(named ? words.origin(content_root_key) : "code", content_root_key, root.string(),
                           "a folder that is there");
  return root;
}

}  // namespace

configuration::configuration() : values_(std::make_shared<store>()) {}

configuration::configuration(std::shared_ptr<store> values, std::string path)
    : values_(std::move(values)), path_(std::move(path)) {}

configuration configuration::load(const configuration_sources& sources) {
  const std::vector<configuration_entry> defaults = entries_from_defaults(sources);
  const std::vector<configuration_entry> environment = hosting::entries_from_environment(sources.environment);
  const std::vector<configuration_entry> command_line = hosting::entries_from_command_line(sources.arguments);

  // Which files to read stands in the other sources, which therefore come first.
  configuration words;
  for (const auto* entries : {&defaults, &environment, &command_line}) words.values_->merge(*entries);
  const std::string name = environment_name(words);
  const std::filesystem::path root = content_root(words, sources.content_root);

  configuration result;
  result.values_->set(std::string(environment_key), name, "default");
  result.values_->set(std::string(content_root_key), root.string(), sources.content_root.empty() ? "default" : "code");
  result.values_->merge(defaults);
  for (const std::string& file : {std::string("appsettings.json"), "appsettings." + name + ".json"}) {
    if (!sources.read_files) break;
    const std::vector<configuration_entry> entries = hosting::entries_from_json_file(root / file);
    refuse_in_files(entries);
    result.values_->merge(entries);
  }
  result.values_->merge(environment);
  result.values_->merge(command_line);
  return result;
}

std::optional<std::string> configuration::find(std::string_view key) const {
  const store::value* value = values_->find(full_key(key));
  return value == nullptr ? std::nullopt : std::optional<std::string>(value->text);
}

configuration configuration::section(std::string_view key) const { return {values_, full_key(key)}; }

std::vector<configuration> configuration::children() const {
  const configuration_key_less less;
  std::vector<configuration> sections;
  values_->for_each_below(path_, [&](std::string_view key) {
    const std::string_view level = key.substr(0, key.find(':'));
    // Equal levels are neighbours; they may differ in case.
    if (sections.empty() || less(sections.back().name(), level)) sections.push_back(section(level));
  });
  return sections;
}

std::vector<std::string> configuration::keys() const {
  std::vector<std::string> found;
  values_->for_each_below(path_, [&](std::string_view key) { found.emplace_back(key); });
  return found;
}

std::string_view configuration::name() const noexcept {
  const std::size_t colon = path_.rfind(':');
  return std::string_view(path_).substr(colon == std::string::npos ? 0 : colon + 1);
}

void configuration::set(std::string_view key, std::string_view value) {
  std::string full = full_key(key);
  if (full.empty()) throw std::invalid_argument("a configuration key must not be empty");
  values_->set(std::move(full), std::string(value), "code");
}

std::string configuration::origin(std::string_view key) const {
  const store::value* value = values_->find(full_key(key));
  return value == nullptr ? std::string() : value->origin;
}

std::string configuration::full_key(std::string_view key) const { return hosting::join_keys(path_, key); }

std::optional<bool> configuration::get_boolean(std::string_view key) const {
  const store::value* value = values_->find(full_key(key));
  if (value == nullptr) return std::nullopt;
  const std::optional<bool> boolean = hosting::parse_boolean(value->text);
  if (!boolean) throw unsuitable_value(value->origin, full_key(key), value->text, "true or false");
  return boolean;
}

std::optional<std::int64_t> configuration::get_signed(std::string_view key, std::int64_t minimum,
                                                      std::int64_t maximum) const {
  const store::value* value = values_->find(full_key(key));
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = hosting::parse_signed(value->text);
  if (!number || *number < minimum || *number > maximum)
    throw unsuitable_value(value->origin, full_key(key), value->text,
                           "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
  return number;
}

std::optional<std::uint64_t> configuration::get_unsigned(std::string_view key, std::uint64_t maximum) const {
  const store::value* value = values_->find(full_key(key));
  if (value == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = hosting::parse_unsigned(value->text);
  if (!number || *number > maximum)
    throw unsuitable_value(value->origin, full_key(key), value->text,
                           "a whole number from 0 to " + std::to_string(maximum));
  return number;
}

std::optional<double> configuration::get_real(std::string_view key) const {
  const store::value* value = values_->find(full_key(key));
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = hosting::parse_real(value->text);
  if (!number) throw unsuitable_value(value->origin, full_key(key), value->text, "a number, such as 0.5");
  return number;
}

std::optional<std::chrono::nanoseconds> configuration::get_duration(std::string_view key,
                                                                    std::chrono::nanoseconds unit) const {
  const store::value* value = values_->find(full_key(key));
  if (value == nullptr) return std::nullopt;
  const std::optional<std::chrono::nanoseconds> duration = hosting::parse_duration(value->text);
  if (!duration)
    throw unsuitable_value(value->origin, full_key(key), value->text, "a duration, such as 00:02:00 for two minutes");
  if (*duration % unit != std::chrono::nanoseconds::zero())
    throw unsuitable_value(value->origin, full_key(key), value->text,
                           "a duration that is a multiple of " + hosting::format_duration(unit));
  return duration;
}

std::optional<std::vector<std::string>> configuration::get_list(std::string_view key) const {
  const std::string full = full_key(key);
  // Text where a list belongs would otherwise be an empty list.
  if (const store::value* value = values_->find(full); value != nullptr)
    throw unsuitable_value(value->origin, full, value->text,
                           "a list (in a file [...], elsewhere the keys 0, 1, 2 ...)");
  std::vector<std::string> texts;
  for (const configuration& child : section(key).children())
    if (std::optional<std::string> text = child.find("")) texts.push_back(std::move(*text));
  return texts.empty() ? std::nullopt : std::optional(std::move(texts));
}

}  // namespace windhover
