#include "hosting/development_certificate.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "hosting/certificate_text.hpp"
#include "net/self_signed_certificate.hpp"

namespace windhover::hosting {
namespace {

constexpr mode_t for_everybody = 0644;
constexpr mode_t for_the_owner = 0600;

std::filesystem::path folder_of_user_data() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  // A relative path there is to be ignored, by the XDG base directory specification.
  if (const auto data = variable("XDG_DATA_HOME"); data.is_absolute()) return data / "windhover";
  if (const auto home = variable("HOME"); home.is_absolute()) return home / ".local" / "share" / "windhover";
  return {};
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw std::runtime_error("'" + file.string() + "' cannot be " + what + ": " + std::generic_category().message(errno));
}

// Whoever reads the file sees the old one or the new one.
void write_file(const std::filesystem::path& file, const std::string& text, mode_t mode) {
  const std::filesystem::path unfinished = file.string() + ".new";
  ::unlink(unfinished.c_str());
  const int descriptor = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) fail(file, "written");
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const int error = errno;
  if (::close(descriptor) != 0 || written != static_cast<ssize_t>(text.size()) ||
      ::rename(unfinished.c_str(), file.c_str()) != 0) {
    const int why = written < 0 ? error : errno;
    ::unlink(unfinished.c_str());
    errno = why;
    fail(file, "written");
  }
}

// Nothing when the files cannot be read or do not belong together.
std::optional<net::loaded_certificate> load(const certificate_files& files) {
  try {
    return net::loaded_certificate(net::read_certificate(files));
  } catch (const net::tls_error&) {
    return std::nullopt;
  }
}

}  // namespace

development_certificate::development_certificate() : folder_(folder_of_user_data()) {}
development_certificate::development_certificate(std::filesystem::path folder) : folder_(std::move(folder)) {}

development_certificate::condition development_certificate::state() const {
  std::error_code error;
  if (!has_place() || !std::filesystem::exists(certificate_file(), error)) return condition::missing;
  const std::optional<net::loaded_certificate> loaded = load(files());
  if (!loaded) return condition::unusable;
  return has_expired(*loaded) ? condition::expired : condition::valid;
}

std::optional<certificate_info> development_certificate::details() const {
  const std::optional<net::loaded_certificate> loaded = has_place() ? load(files()) : std::nullopt;
  return loaded ? std::optional(details_of(*loaded)) : std::nullopt;
}

void development_certificate::make() const {
  if (!has_place())
    throw std::runtime_error("there is no place for a development certificate: HOME and XDG_DATA_HOME are not set");
  const net::made_certificate made = net::make_self_signed({.common_name = "localhost",
                                                            .organization = "Windhover development certificate",
                                                            .names = {"localhost", "127.0.0.1", "::1"}});
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw std::runtime_error("'" + folder_.string() + "' cannot be made: " + error.message());
  write_file(key_file(), made.key, for_the_owner);
  write_file(certificate_file(), made.certificate, for_everybody);
}

bool development_certificate::remove() const {
  bool removed = false;
  for (const std::filesystem::path& file : {certificate_file(), key_file()}) {
    if (!has_place()) break;
    std::error_code error;
    removed |= std::filesystem::remove(file, error);
    if (error) throw std::runtime_error("'" + file.string() + "' cannot be removed: " + error.message());
  }
  return removed;
}

void development_certificate::export_to(const std::filesystem::path& file, export_format format, bool with_key,
                                        const std::string& password) const {
  if (!has_place() || !load(files())) throw std::runtime_error("there is no usable development certificate to export");
  const net::tls_certificate own = net::read_certificate(files());
  const net::made_certificate exported{.certificate = own.certificate, .key = with_key ? own.key : std::string()};
  if (format == export_format::pfx) {
    write_file(file, net::pkcs12_file(exported, password, "Windhover development certificate"),
               with_key ? for_the_owner : for_everybody);
    return;
  }
  if (with_key) {
    std::filesystem::path file_of_key = file;
    if (file_of_key.replace_extension(".key") == file)
      throw std::runtime_error("'" + file.string() +
                               "' is where the key goes: name the certificate's file .pem or .crt");
    write_file(file_of_key, password.empty() ? exported.key : net::encrypted_key(exported.key, password),
               for_the_owner);
  }
  write_file(file, exported.certificate, for_everybody);
}

}  // namespace windhover::hosting
