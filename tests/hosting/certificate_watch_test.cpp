#include "hosting/certificate_watch.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>

#include "hosting/temporary_folder.hpp"
#include "support/http_client.hpp"

namespace windhover::hosting {
namespace {

// Counts the calls of a watch, and waits for them.
class certificate_watch_on_files : public ::testing::Test {
 protected:
  void watch(std::vector<std::filesystem::path> files) {
    certificate_watch::callbacks tell;
    tell.files_may_have_changed = [this] { count(looks_); };
    tell.told_by_signal = [this] { count(signals_); };
    tell.terminal_has_gone = [] { ADD_FAILURE() << "there is a terminal, or there never was one"; };
    watching = std::make_unique<certificate_watch>(std::move(files), std::move(tell));
    // The first look is at what may have happened before.
    EXPECT_TRUE(wait_for_looks(1));
  }
  int looks() const {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  bool wait_for_looks(int least) { return wait_for(looks_, least); }
  bool wait_for_signals(int least) { return wait_for(signals_, least); }

  temporary_folder folder;

 private:
  void count(int& what) {
    const std::lock_guard lock(mutex_);
    ++what;
    changed_.notify_all();
  }
  bool wait_for(const int& what, int least) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(test::patience_in_seconds), [&] { return what >= least; });
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int looks_ = 0;
  int signals_ = 0;

 protected:
  // The last member, so that it ends first: until then it may still tell.
  std::unique_ptr<certificate_watch> watching;
};

TEST_F(certificate_watch_on_files, a_file_that_is_written_replaced_or_removed_is_looked_at) {
  const std::filesystem::path file = folder.write("a.pem", "one");
  watch({file});
  folder.write("a.pem", "two");
  EXPECT_TRUE(wait_for_looks(looks() + 1));
  const int before_the_replacement = looks();
  std::filesystem::rename(folder.write("b.pem", "three"), file);
  EXPECT_TRUE(wait_for_looks(before_the_replacement + 1));
  const int before_the_end = looks();
  std::filesystem::remove(file);
  EXPECT_TRUE(wait_for_looks(before_the_end + 1));
}

TEST_F(certificate_watch_on_files, what_a_link_leads_to_is_watched_in_its_own_folder) {
  std::filesystem::create_directories(folder.path() / "archive");
  folder.write("archive/one.pem", "one");
  std::filesystem::create_symlink("archive/one.pem", folder.path() / "a.pem");
  watch({folder.path() / "a.pem"});
  const int before = looks();
  folder.write("archive/one.pem", "two");
  EXPECT_TRUE(wait_for_looks(before + 1));
}

// As Kubernetes puts secrets into a container: a.pem leads to ..data/a.pem, and ..data to a folder that is exchanged.
TEST_F(certificate_watch_on_files, a_link_to_a_folder_may_be_exchanged) {
  for (const char* each : {"one", "two"}) {
    std::filesystem::create_directories(folder.path() / each);
    folder.write(std::string(each) + "/a.pem", each);
  }
  std::filesystem::create_symlink("one", folder.path() / "..data");
  std::filesystem::create_symlink("..data/a.pem", folder.path() / "a.pem");
  watch({folder.path() / "a.pem"});
  const int before = looks();
  std::filesystem::create_symlink("two", folder.path() / "..new");
  std::filesystem::rename(folder.path() / "..new", folder.path() / "..data");
  EXPECT_TRUE(wait_for_looks(before + 1));
}

TEST_F(certificate_watch_on_files, a_folder_that_is_not_there_and_links_in_a_circle_are_no_trouble) {
  std::filesystem::create_symlink("b.pem", folder.path() / "a.pem");
  std::filesystem::create_symlink("a.pem", folder.path() / "b.pem");
  watch({"/nowhere/at/all.pem", folder.path() / "a.pem", "relative.pem"});
  const int before = looks();
  folder.write("c.pem", "");
  EXPECT_TRUE(wait_for_looks(before + 1));
}

TEST_F(certificate_watch_on_files, sighup_is_told_and_afterwards_what_it_was) {
  struct sigaction before {};
  ::sigaction(SIGHUP, nullptr, &before);
  watch({folder.path() / "a.pem"});
  {
    const certificate_watch::from_signal signal(*watching);
    ::raise(SIGHUP);
    EXPECT_TRUE(wait_for_signals(1));
    // A second one leaves the first in its place.
    { const certificate_watch::from_signal second(*watching); }
    ::raise(SIGHUP);
    EXPECT_TRUE(wait_for_signals(2));
  }
  struct sigaction after {};
  ::sigaction(SIGHUP, nullptr, &after);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

}  // namespace
}  // namespace windhover::hosting
