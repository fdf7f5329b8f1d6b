#include "hosting/configuration_sources.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <unistd.h>

#include "base/text.hpp"
#include "hosting/configuration_keys.hpp"
#include "hosting/printable_text.hpp"
#include <windhover/configuration.hpp>

namespace windhover::hosting {
namespace {

constexpr std::string_view section_name = "Windhover";
constexpr std::string_view prefix = "WINDHOVER_";

struct short_option {
  std::string_view name;
  std::string_view key;
};

constexpr std::array<short_option, 7> short_options = {{
    {"urls", "Windhover:Urls"},
    {"engine", "Windhover:Engine"},
    {"threads", "Windhover:Threads"},
    {"log-level", "Windhover:LogLevel"},
    {"environment", "Windhover:Environment"},
    {"contentRoot", "Windhover:ContentRoot"},
    {"webRoot", "Windhover:WebRoot"},
}};

std::string with_colons(std::string_view name) {
  std::string key(name);
  for (std::size_t at = key.find("__"); at != std::string::npos; at = key.find("__", at + 1)) key.replace(at, 2, ":");
  return key;
}

// {number}_{protocol}, with more behind it or not: what Kubernetes writes behind the word PORT.
bool is_numbered_port(std::string_view text) {
  const std::size_t underscore = text.find('_');
  if (underscore == std::string_view::npos || !is_list_index(text.substr(0, underscore))) return false;
  const std::string_view protocol = text.substr(underscore + 1);
  return protocol.starts_with("TCP") || protocol.starts_with("UDP") || protocol.starts_with("SCTP");
}

// Kubernetes describes every service of a namespace to every container in it, and a service called windhover would fill
// our section with keys nobody wrote: {SERVICE}_SERVICE_HOST, _SERVICE_PORT, _SERVICE_PORT_{name}, _PORT (a URL), and
// _PORT_{number}_{protocol} with _PROTO, _PORT and _ADDR behind it. None of our keys has an underscore.
bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("SERVICE_HOST") || name.ends_with("SERVICE_PORT")) return true;
  if (name.find("SERVICE_PORT_") != std::string_view::npos) return true;
  constexpr std::string_view port = "PORT_";
  const std::size_t at = name.find(port);
  if (at != std::string_view::npos && is_numbered_port(name.substr(at + port.size()))) return true;
  return name.ends_with("PORT") && value.find("://") != std::string_view::npos;
}

// Whether the variable belongs to our section by its prefix. WINDHOVER__Threads is the spelling without the prefix.
bool has_our_prefix(std::string_view name, std::string_view value) {
  return name.size() > prefix.size() && base::equals_ignoring_case(name.substr(0, prefix.size()), prefix) &&
         name[prefix.size()] != '_' && !is_service_link(name.substr(prefix.size()), value);
}

// The command line, word by word.
class argument_reader {
 public:
  explicit argument_reader(std::span<const std::string> arguments) : arguments_(arguments) {}

  std::vector<configuration_entry> read() {
    for (; next_ < arguments_.size(); ++next_) {
      const std::string_view word = arguments_[next_];
      if (word == "--") break;
      if (word.starts_with("--")) read_option(word.substr(2));
    }
    return std::move(entries_);
  }

 private:
  void read_option(std::string_view option) {
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    if (name.empty()) return;
    const std::string origin = "command line --" + std::string(name);
    const auto known = std::ranges::find_if(
        short_options, [&](const short_option& each) { return base::equals_ignoring_case(each.name, name); });
    const bool ours = known != short_options.end();
    std::string key(ours ? known->key : name);
    entries_.push_back({std::move(key), value_of(option, equals, ours), origin});
  }

  std::string value_of(std::string_view option, std::size_t equals, bool ours) {
    if (equals != std::string_view::npos) return std::string(option.substr(equals + 1));
    const bool has_value = next_ + 1 < arguments_.size() && !arguments_[next_ + 1].starts_with("--");
    if (has_value) return arguments_[++next_];
    if (ours) throw configuration_error("command line --" + printable(option) + ": a value must follow");
    return "true";
  }

  std::span<const std::string> arguments_;
  std::size_t next_ = 0;
  std::vector<configuration_entry> entries_;
};

}  // namespace

std::vector<configuration_entry> entries_from_environment(std::span<const std::string> variables) {
  std::vector<configuration_entry> others;
  std::vector<configuration_entry> ours;
  for (const std::string_view variable : variables) {
    const std::size_t equals = variable.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value = variable.substr(equals + 1);
    // A variable of that very name (a folder, say) is no value of our section, which has none.
    if (base::equals_ignoring_case(name, section_name)) continue;
    const std::string origin = "environment variable " + std::string(name);
    if (has_our_prefix(name, value)) {
      std::string key = join_keys(section_name, with_colons(name.substr(prefix.size())));
      ours.push_back({std::move(key), std::string(value), origin});
    } else {
      others.push_back({with_colons(name), std::string(value), origin});
    }
  }
  others.insert(others.end(), std::make_move_iterator(ours.begin()), std::make_move_iterator(ours.end()));
  return others;
}

std::vector<configuration_entry> entries_from_command_line(std::span<const std::string> arguments) {
  return argument_reader(arguments).read();
}

}  // namespace windhover::hosting

namespace windhover {

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

}  // namespace windhover
