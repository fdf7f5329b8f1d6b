// An application that listens with TLS, for tests: its certificates are files of a folder that goes with it.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "hosting/error_text.hpp"
#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"
#include "support/tls_client.hpp"

namespace windhover::hosting {

// What a handler sees, line by line.
inline task<> tell(http_context& context) {
  std::string text(context.request().scheme());
  if (const tls_info* const tls = context.tls()) {
    text += "\n" + tls->protocol + "\n" + tls->server_name + "\n" + tls->application_protocol;
    if (tls->peer_certificate) text += "\n" + tls->peer_certificate->subject;
  }
  co_await context.response().write(text);
}

class https_application : public running_application {
 protected:
  void SetUp() override {
    running_application::SetUp();
    // Nobody's own development certificate decides about a test.
    data_before_ = std::getenv("XDG_DATA_HOME") == nullptr ? "" : std::getenv("XDG_DATA_HOME");
    ::setenv("XDG_DATA_HOME", (folder.path() / "data").c_str(), 1);
  }
  void TearDown() override {
    running_application::TearDown();
    data_before_.empty() ? ::unsetenv("XDG_DATA_HOME") : ::setenv("XDG_DATA_HOME", data_before_.c_str(), 1);
  }

  // Self-signed, in <name>.pem and <name>.key.
  net::made_certificate write(const std::string& name, const net::certificate_request& wanted) {
    const net::made_certificate made = net::make_self_signed(wanted);
    folder.write(name + ".pem", made.certificate);
    folder.write(name + ".key", made.key);
    return made;
  }
  certificate_files files(const std::string& name) const {
    return {.certificate = name + ".pem", .key = name + ".key"};
  }

  // On an https address, with further words on the command line; files are in the test's folder.
  web_application& make_https(std::vector<std::string> further = {}) {
    std::vector<std::string> arguments{"--contentRoot", folder.path(), "--urls", "https://127.0.0.1:0"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return make(std::move(arguments));
  }
  // The one that the server shows.
  std::string subject(const std::string& server_name = {}) {
    return test::tls_client(url, {.server_name = server_name}).certificate().subject;
  }
  std::string start_error() {
    return error_text([this] { app->start(); });
  }

  temporary_folder folder;

 private:
  std::string data_before_;
};

}  // namespace windhover::hosting
