// The development certificate: a certificate for this machine's own names, which `windhover dev-certs` makes and an
// https URL without a certificate is served with. It stands in the folder of the user's data, the key for nobody else
// to read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <windhover/https_options.hpp>
#include <windhover/tls_info.hpp>

namespace windhover::hosting {

class development_certificate {
 public:
  enum class condition {
    missing,
    unusable,  // unreadable, or the key belongs to another certificate
    expired,
    valid,
  };
  enum class export_format { pem, pfx };

  // In $XDG_DATA_HOME/windhover, or else ~/.local/share/windhover. Nowhere when neither is known.
  development_certificate();
  explicit development_certificate(std::filesystem::path folder);

  bool has_place() const noexcept { return !folder_.empty(); }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path certificate_file() const { return folder_ / "development.pem"; }
  std::filesystem::path key_file() const { return folder_ / "development.key"; }
  certificate_files files() const { return {.certificate = certificate_file(), .key = key_file()}; }

  condition state() const;
  // Unless it is missing or unusable.
  std::optional<certificate_info> details() const;

  // Makes one, for localhost, 127.0.0.1 and [::1], for a year; takes the place of what is there. Throws
  // std::runtime_error.
  void make() const;
  // Whether there was something to remove. Throws std::runtime_error.
  bool remove() const;
  // Writes the certificate to a file, and with `with_key` its key: PEM into a file of its own that ends in .key,
  // PKCS#12 into the same. An empty password leaves the key as it is. What holds a key is for its owner only. Throws
  // std::runtime_error.
  void export_to(const std::filesystem::path& file, export_format format, bool with_key,
                 const std::string& password) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace windhover::hosting
