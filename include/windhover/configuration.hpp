// Configuration as users of ASP.NET Core know it: texts under keys with levels, gathered from several sources, the
// later source winning. Windhover's own keys stand below `Windhover`; everything else belongs to the application.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace windhover {

/// A source that cannot be read or a value that is not what it should be. The text is one line that names the place
/// (file and line, environment variable or command-line option), the key and what was expected.
class configuration_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where a configuration comes from. In the order in which a later value takes the place of an earlier one:
///
/// 1. `defaults`
/// 2. `appsettings.json`
/// 3. `appsettings.{Environment}.json`
/// 4. environment variables
/// 5. the command line
struct configuration_sources {
  /// Keys and values of the program itself.
  std::vector<std::pair<std::string, std::string>> defaults;

  /// The command line without the program's name: `--key value` or `--key=value`; both set `key`. An option that is
  /// followed by another option, or by nothing, sets "true". Words that belong to no option, and everything after a
  /// bare `--`, are left to the program. These options stand for keys of Windhover and need a value:
  ///
  ///     --urls --engine --threads --log-level --environment --contentRoot --webRoot
  std::vector<std::string> arguments;

  /// Environment variables, each as `NAME=value`; `process_environment()` gives those of the process. Two underscores
  /// in a name separate levels. `WINDHOVER_Threads` is the key `Windhover:Threads`; a variable without that prefix
  /// keeps its name. The variables that Kubernetes sets for a service called windhover (`WINDHOVER_SERVICE_HOST`,
  /// `WINDHOVER_PORT_80_TCP` and so on) are not taken for keys of Windhover.
  std::vector<std::string> environment;

  /// The folder with the appsettings files, unless `--contentRoot` or `WINDHOVER_ContentRoot` names another; empty
  /// means the current folder.
  std::filesystem::path content_root;

  /// Whether appsettings.json and appsettings.{Environment}.json are read at all.
  bool read_files = true;
};

/// The environment variables of the process, as `NAME=value`. Thread: not while another thread changes them.
std::vector<std::string> process_environment();

/// Texts under keys. Levels are joined with ':', letters compare without regard to (ASCII) case, and the elements of a
/// list have the keys 0, 1, 2 ...
///
///     windhover::configuration_sources sources;
///     sources.arguments = {"--Greeting=hello"};
///     sources.environment = windhover::process_environment();
///     const auto configuration = windhover::configuration::load(sources);
///     std::string greeting = configuration["Greeting"];
///     auto interval = configuration.get<std::chrono::milliseconds>("Windhover:WebSockets:KeepAliveInterval");
///
/// Copies and sections are views of the same keys: what one of them sets, all see. Thread: any number may read at the
/// same time; nobody may read or set while another sets.
class configuration {
 public:
  /// A configuration without keys.
  configuration();

  /// Reads all sources. The environment's name, which chooses the second file, is the value of `--environment`, else of
  /// the variable `WINDHOVER_ENVIRONMENT`, else "Production"; afterwards it stands under `Windhover:Environment`. A
  /// file that is not there is no error. JSON may contain comments; a null takes back what an earlier source had set.
  /// Errors: `configuration_error` for a malformed file (naming file, line and column), a file that cannot be read, a
  /// content root that is no folder, an option of ours without a value.
  static configuration load(const configuration_sources& sources);

  /// The text under the key, if there is one. The empty key means this section itself.
  std::optional<std::string> find(std::string_view key) const;

  /// The text under the key, empty if there is none.
  std::string operator[](std::string_view key) const { return find(key).value_or(std::string()); }

  /// The value under the key, nothing if there is none. T is one of
  ///
  /// * `bool`: true or false, in any case;
  /// * an integer type: decimal, within the type's range;
  /// * `double`: decimal, finite;
  /// * a `std::chrono::duration`: `[-][days.]hours:minutes[:seconds[.fraction]]`, as in 00:02:00 or 1.02:03:04.5, hours
  ///   up to 23, minutes and seconds up to 59, without a rest that T cannot hold, up to 100,000 days;
  /// * `std::string`: the text as it is;
  /// * `std::vector<std::string>`: the values of the section's elements in order.
  ///
  /// Errors: `configuration_error` when the text is none of these.
  template <typename T>
  std::optional<T> get(std::string_view key) const;

  /// The value under the key, or `otherwise` if there is none. Errors: as above.
  template <typename T>
  T get(std::string_view key, T otherwise) const {
    return get<T>(key).value_or(std::move(otherwise));
  }

  /// The keys below the given one, as a configuration of their own. It need not exist.
  configuration section(std::string_view key) const;

  /// The sections one level below this one, each once: numbers first and in their order, then names alphabetically.
  std::vector<configuration> children() const;

  /// All keys with a value in this section, relative to it, in the order of `children()`.
  std::vector<std::string> keys() const;

  /// The full key of this section, empty for the whole configuration, and its last level.
  const std::string& path() const noexcept { return path_; }
  std::string_view name() const noexcept;

  /// Sets a value in code; it takes the place of every source. Errors: `std::invalid_argument` for an empty key.
  void set(std::string_view key, std::string_view value);

  /// Where the value under the key came from, as a person would say it: `appsettings.json, line 3`,
  /// `environment variable WINDHOVER_Threads`, `command line --threads`, `default`, `code`. Empty if there is none.
  std::string origin(std::string_view key) const;

 private:
  class store;

  configuration(std::shared_ptr<store> values, std::string path);

  std::string full_key(std::string_view key) const;
  std::optional<bool> get_boolean(std::string_view key) const;
  std::optional<std::int64_t> get_signed(std::string_view key, std::int64_t minimum, std::int64_t maximum) const;
  std::optional<std::uint64_t> get_unsigned(std::string_view key, std::uint64_t maximum) const;
  std::optional<double> get_real(std::string_view key) const;
  std::optional<std::chrono::nanoseconds> get_duration(std::string_view key, std::chrono::nanoseconds unit) const;
  std::optional<std::vector<std::string>> get_list(std::string_view key) const;

  std::shared_ptr<store> values_;
  std::string path_;
};

template <typename T>
std::optional<T> configuration::get(std::string_view key) const {
  if constexpr (std::same_as<T, std::string>) {
    return find(key);
  } else if constexpr (std::same_as<T, std::vector<std::string>>) {
    return get_list(key);
  } else if constexpr (std::same_as<T, bool>) {
    return get_boolean(key);
  } else if constexpr (std::signed_integral<T>) {
    const auto value = get_signed(key, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
  } else if constexpr (std::unsigned_integral<T>) {
    const auto value = get_unsigned(key, std::numeric_limits<T>::max());
    return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
  } else if constexpr (std::same_as<T, double>) {
    return get_real(key);
  } else {
    // Only a duration has a period; anything else ends the compilation here.
    static_assert(std::ratio_greater_equal_v<typename T::period, std::nano>, "configuration knows no such type");
    constexpr auto unit = std::is_integral_v<typename T::rep>
                              ? std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::duration<std::int64_t, typename T::period>(1))
                              : std::chrono::nanoseconds(1);
    const auto value = get_duration(key, unit);
    return value ? std::optional<T>(std::chrono::duration_cast<T>(*value)) : std::nullopt;
  }
}

}  // namespace windhover
