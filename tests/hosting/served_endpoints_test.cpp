// Certificates that are read again, as the watch on their files asks for it: what is said of them, and how often.
#include "hosting/served_endpoints.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hosting/running_application.hpp"
#include "hosting/temporary_folder.hpp"
#include "net/self_signed_certificate.hpp"

namespace windhover::hosting {
namespace {

class ServedEndpoints : public ::testing::Test {
 protected:
  void write(const net::made_certificate& made) const { folder.write("site.pem", made.certificate + made.key); }
  // Whether all is well.
  bool look() { return endpoints.reload_certificates(served_endpoints::reload::changed); }
  std::size_t lines() const { return log.lines().size(); }

  const net::made_certificate first = net::make_self_signed({.common_name = "first"});
  const temporary_folder folder;
  recording_logger log;
  const std::filesystem::path file = folder.write("site.pem", first.certificate + first.key);
  const settings from = read_settings(configuration::load(
      sources_of({"--urls", "https://127.0.0.1:0", "--Windhover:Certificates:Default:Path", file.string()})));
  served_endpoints endpoints{from, {}, log};
};

TEST_F(ServedEndpoints, FilesThatHaveNotChangedArePassedOverInSilence) {
  const std::size_t before = lines();
  EXPECT_TRUE(look());
  write(first);
  EXPECT_TRUE(look());
  EXPECT_EQ(lines(), before);
}

TEST_F(ServedEndpoints, WhatIsWrongIsSaidOnceAndAgainAfterItWasMended) {
  const auto break_it = [this](int how) {
    how == 0 ? static_cast<void>(folder.write("site.pem", "no certificate"))
             : static_cast<void>(std::filesystem::remove(folder.path() / "site.pem"));
  };
  for (const int how : {0, 1}) {
    for (int times = 0; times < 2; ++times) {
      const std::size_t before = lines();
      break_it(how);
      EXPECT_FALSE(look());
      EXPECT_EQ(lines(), before + 1);
      EXPECT_FALSE(look());
      EXPECT_EQ(lines(), before + 1);
      write(first);
      EXPECT_TRUE(look());
      EXPECT_EQ(lines(), before + 2);
      EXPECT_TRUE(look());
      EXPECT_EQ(lines(), before + 2);
    }
  }
}

}  // namespace
}  // namespace windhover::hosting
