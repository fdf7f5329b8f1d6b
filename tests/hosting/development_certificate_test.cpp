#include "hosting/development_certificate.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"

namespace windhover::hosting {
namespace {

using condition = development_certificate::condition;
using format = development_certificate::export_format;
using std::filesystem::perms;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

perms permissions_of(const std::filesystem::path& file) { return std::filesystem::status(file).permissions(); }

// What the variable says for the life of this object.
class environment_variable {
 public:
  environment_variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    set(value);
  }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;
  ~environment_variable() { set(before_); }

 private:
  void set(const std::optional<std::string>& value) {
    if (value) {
      ::setenv(name_, value->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::optional<std::string> before_;
};

TEST(development_certificate, stands_among_the_users_data) {
  {
    const environment_variable data("XDG_DATA_HOME", "/data");
    EXPECT_EQ(development_certificate().certificate_file(), "/data/windhover/development.pem");
    EXPECT_EQ(development_certificate().key_file(), "/data/windhover/development.key");
  }
  const environment_variable home("HOME", "/home/anna");
  for (const auto& unusable :
       {std::optional<std::string>(), std::optional<std::string>(""), std::optional<std::string>("data")}) {
    const environment_variable data("XDG_DATA_HOME", unusable);
    EXPECT_EQ(development_certificate().folder(), "/home/anna/.local/share/windhover");
  }
}

TEST(development_certificate, without_a_home_there_is_none_and_none_can_be_made) {
  const environment_variable data("XDG_DATA_HOME", std::nullopt);
  const environment_variable home("HOME", std::nullopt);
  const development_certificate certificate;
  EXPECT_FALSE(certificate.has_place());
  EXPECT_EQ(certificate.state(), condition::missing);
  EXPECT_FALSE(certificate.details());
  EXPECT_FALSE(certificate.remove());
  EXPECT_THROW(certificate.make(), std::runtime_error);
}

TEST(development_certificate, is_made_for_this_machine_with_a_key_for_its_owner_only) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path() / "a" / "b");
  EXPECT_EQ(certificate.state(), condition::missing);
  certificate.make();
  EXPECT_EQ(certificate.state(), condition::valid);
  EXPECT_EQ(permissions_of(certificate.key_file()), perms::owner_read | perms::owner_write);
  const std::optional<certificate_info> details = certificate.details();
  ASSERT_TRUE(details);
  EXPECT_EQ(details->subject, "CN=localhost,O=Windhover development certificate");
  EXPECT_EQ(details->issuer, details->subject);
  EXPECT_EQ(details->sha256_fingerprint.size(), 64U);
  EXPECT_EQ(std::chrono::round<std::chrono::days>(details->not_after - details->not_before), std::chrono::days(365));
  EXPECT_EQ(details->pem, text_of(certificate.certificate_file()));
}

TEST(development_certificate, another_one_takes_its_place) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  certificate.make();
  const std::string before = certificate.details().value().serial_number;
  certificate.make();
  EXPECT_EQ(certificate.state(), condition::valid);
  EXPECT_NE(certificate.details().value().serial_number, before);
}

TEST(development_certificate, a_key_that_is_missing_or_anothers_makes_it_unusable) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path() / "one");
  const development_certificate other(folder.path() / "other");
  certificate.make();
  other.make();
  std::filesystem::copy_file(other.key_file(), certificate.key_file(),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(certificate.state(), condition::unusable);
  EXPECT_FALSE(certificate.details());
  std::filesystem::remove(certificate.key_file());
  EXPECT_EQ(certificate.state(), condition::unusable);
  folder.write("one/development.pem", "no certificate");
  EXPECT_EQ(certificate.state(), condition::unusable);
  certificate.make();
  EXPECT_EQ(certificate.state(), condition::valid);
}

TEST(development_certificate, one_that_is_over_is_told_from_one_that_is_not_there) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  const net::made_certificate over = net::make_self_signed(
      {.common_name = "localhost", .begins = std::chrono::days(-2), .ends = std::chrono::days(-1)});
  folder.write("development.pem", over.certificate);
  folder.write("development.key", over.key);
  EXPECT_EQ(certificate.state(), condition::expired);
  EXPECT_TRUE(certificate.details());
}

TEST(development_certificate, is_removed_with_its_key) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  certificate.make();
  EXPECT_TRUE(certificate.remove());
  EXPECT_FALSE(std::filesystem::exists(certificate.key_file()));
  EXPECT_EQ(certificate.state(), condition::missing);
  EXPECT_FALSE(certificate.remove());
}

TEST(development_certificate, an_export_as_pem_has_its_key_in_a_file_of_its_own) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  certificate.make();
  const std::filesystem::path file = folder.path() / "exported.crt";
  certificate.export_to(file, format::pem, false, "");
  EXPECT_EQ(text_of(file), text_of(certificate.certificate_file()));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "exported.key"));
  certificate.export_to(file, format::pem, true, "");
  EXPECT_EQ(text_of(folder.path() / "exported.key"), text_of(certificate.key_file()));
  EXPECT_EQ(permissions_of(folder.path() / "exported.key"), perms::owner_read | perms::owner_write);
  certificate.export_to(file, format::pem, true, "secret");
  EXPECT_TRUE(text_of(folder.path() / "exported.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  EXPECT_THROW(certificate.export_to(folder.path() / "exported.key", format::pem, true, ""), std::runtime_error);
}

TEST(development_certificate, an_export_as_pkcs12_is_for_its_owner_only) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  certificate.make();
  const std::filesystem::path file = folder.path() / "exported.pfx";
  certificate.export_to(file, format::pfx, true, "secret");
  EXPECT_EQ(permissions_of(file), perms::owner_read | perms::owner_write);
  EXPECT_TRUE(text_of(file).starts_with("\x30\x82"));
}

TEST(development_certificate, what_cannot_be_written_names_the_file_and_the_reason) {
  const temporary_folder folder;
  const development_certificate certificate(folder.path());
  certificate.make();
  try {
    certificate.export_to(folder.path() / "nowhere" / "a.pem", format::pem, false, "");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(),
              "'" + (folder.path() / "nowhere" / "a.pem").string() + "' cannot be written: No such file or directory");
  }
}

}  // namespace
}  // namespace windhover::hosting
