#include "dev_certs.hpp"

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <strings.h>

#include "hosting/certificate_text.hpp"
#include "hosting/development_certificate.hpp"

namespace windhover::tool {
namespace {

using hosting::development_certificate;
using condition = development_certificate::condition;

constexpr int fine = 0;
constexpr int failed = 1;
constexpr int no_valid_certificate = 6;  // as dotnet says it

struct dev_certs_options {
  std::string protocol;
  bool check = false;
  bool clean = false;
  bool trust = false;
  bool quiet = false;
  bool no_password = false;
  std::string export_path;
  std::string format = "Pfx";
  std::string password;
};

void print(const dev_certs_options& options, const std::string& text) {
  if (!options.quiet) std::printf("%s\n", text.c_str());
}

std::string described(const development_certificate& certificate) {
  const auto details = certificate.details();
  return certificate.certificate_file().string() + (details ? " (" + hosting::short_description(*details) + ")" : "");
}

int check(const dev_certs_options& options, const development_certificate& certificate) {
  switch (certificate.state()) {
    case condition::valid:
      print(options, "There is a valid development certificate: " + described(certificate));
      return fine;
    case condition::expired:
      print(options, "The development certificate has expired: " + described(certificate));
      return no_valid_certificate;
    case condition::unusable:
      print(options, "The development certificate is unusable; make another one with 'windhover dev-certs': " +
                         described(certificate));
      return no_valid_certificate;
    case condition::missing:
      break;
  }
  print(options, "There is no development certificate; make one with 'windhover dev-certs'.");
  return no_valid_certificate;
}

int clean(const dev_certs_options& options, const development_certificate& certificate) {
  const bool removed = certificate.remove();
  print(options, removed ? "The development certificate was removed; where it was trusted it still is."
                         : "There was no development certificate to remove.");
  return fine;
}

// Every program has a list of its own. None of them is changed here: whoever trusts a certificate should see it happen.
void say_how_to_trust(const dev_certs_options& options, const development_certificate& certificate) {
  const std::string file = "'" + certificate.certificate_file().string() + "'";
  print(options,
        "\n"
        "Nothing on this system was changed. These commands make programs trust the certificate:\n"
        "\n"
        "Debian, and with it curl and .NET:\n"
        "  sudo cp " +
            file +
            " /usr/local/share/ca-certificates/windhover-development.crt\n"
            "  sudo update-ca-certificates\n"
            "Chromium (the package libnss3-tools has certutil):\n"
            "  mkdir -p ~/.pki/nssdb\n"
            "  certutil -d sql:$HOME/.pki/nssdb -A -t P,, -n windhover-development -i " +
            file +
            "\n"
            "Firefox, for each of its profiles:\n"
            "  certutil -d sql:<folder of the profile, see about:profiles> -A -t P,, -n windhover-development -i " +
            file +
            "\n"
            "Without changing the system:\n"
            "  curl --cacert " +
            file +
            " https://localhost:5001/\n"
            "  NODE_EXTRA_CA_CERTS=" +
            file +
            " node ...\n"
            "  SSL_CERT_FILE=" +
            file +
            " dotnet run     # trusts this certificate and no other\n"
            "  windhover connect wss://localhost:5001/ws --authorities " +
            file);
}

void export_certificate(const dev_certs_options& options, const development_certificate& certificate) {
  const bool pem = ::strcasecmp(options.format.c_str(), "Pem") == 0;
  // As dotnet has it: a key leaves its folder only for somebody who says how it is to be protected.
  const bool with_key = !options.password.empty() || options.no_password;
  certificate.export_to(options.export_path,
                        pem ? development_certificate::export_format::pem : development_certificate::export_format::pfx,
                        with_key, options.password);
  print(options, std::string("The certificate was exported ") + (with_key ? "with" : "without") + " its key to " +
                     options.export_path + (with_key ? "" : "; --password or --no-password exports the key as well"));
}

int run(const dev_certs_options& options) {
  try {
    const development_certificate certificate;
    if (options.check) return check(options, certificate);
    if (options.clean) return clean(options, certificate);
    if (certificate.state() == condition::valid) {
      print(options, "There is a valid development certificate: " + described(certificate));
    } else {
      certificate.make();
      print(options, "A development certificate was made: " + described(certificate));
    }
    if (!options.export_path.empty()) export_certificate(options, certificate);
    if (options.trust) say_how_to_trust(options, certificate);
    return fine;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return failed;
  }
}

}  // namespace

std::function<int()> add_dev_certs(CLI::App& app) {
  const auto options = std::make_shared<dev_certs_options>();
  CLI::App* const command =
      app.add_subcommand("dev-certs", "Make a certificate for https on this machine, and say how to trust it");
  command->add_option("protocol", options->protocol, "https; there is no other, and it may be left out")
      ->check(CLI::IsMember({"https"}));
  CLI::Option* const check =
      command->add_flag("--check,-c", options->check, "Say whether there is a valid one, and make none");
  CLI::Option* const clean = command->add_flag("--clean", options->clean, "Remove it")->excludes(check);
  command->add_option("--export-path,-e", options->export_path, "Write it to this file as well")
      ->excludes(check)
      ->excludes(clean);
  command
      ->add_option("--format", options->format,
                   "Of the exported file: Pfx, or Pem with the key in a .key file beside it")
      ->check(CLI::IsMember({"Pfx", "Pem"}, CLI::ignore_case))
      ->capture_default_str();
  CLI::Option* const password =
      command->add_option("--password,-p", options->password, "Export the key too, encrypted with this password");
  command->add_flag("--no-password", options->no_password, "Export the key too, as it is")->excludes(password);
  command->add_flag("--trust,-t", options->trust, "Say how to make programs trust it; nothing is changed")
      ->excludes(check)
      ->excludes(clean);
  command->add_flag("--quiet,-q", options->quiet, "Print nothing but errors");
  command->footer(
      "The certificate is for localhost, 127.0.0.1 and [::1]. It stands in $XDG_DATA_HOME/windhover, or else in\n"
      "~/.local/share/windhover. Servers use it for https URLs without a certificate.\n"
      "Exit code: 0; 6 when --check finds no valid one; 1 after an error.");
  return [options] { return run(*options); };
}

}  // namespace windhover::tool
