// Files of a folder: what is opened, and what is not because it is elsewhere.
#include "http/folder_files.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosting/temporary_folder.hpp"
#include "support/transports.hpp"

namespace windhover::http {
namespace {

namespace fs = std::filesystem;

class FolderFiles : public ::testing::Test {
 protected:
  FolderFiles() {
    fs::create_directories(root / "sub" / "deeper");
    write("plain.txt", "plain");
    write("sub/below.txt", "below");
    write("sub/deeper/last.txt", "last");
    folder.write("outside.txt", "outside");
  }

  void write(const std::string& name, std::string_view text) const { folder.write("root/" + name, text); }
  void set_time(const std::string& name, long seconds, long nanoseconds) const {
    const std::array<timespec, 2> times{timespec{seconds, nanoseconds}, timespec{seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root / name).c_str(), times.data(), 0), 0);
  }
  template <class Test>
  void with_both_resolutions(Test&& test) const {
    for (const auto how : {folder_files::resolution::beneath, folder_files::resolution::step_by_step}) {
      SCOPED_TRACE(how == folder_files::resolution::beneath ? "beneath" : "step by step");
      test(folder_files(root.string(), how));
    }
  }
  static std::string content_of(const std::optional<stored_file>& file) {
    if (!file) return "(none)";
    std::string text(file->size(), '\0');
    const std::size_t count = file->read(0, std::as_writable_bytes(std::span(text)));
    return text.substr(0, count);
  }

  const hosting::temporary_folder folder;
  const fs::path root = folder.path() / "root";
};

TEST_F(FolderFiles, OpensFilesBelowTheRoot) {
  with_both_resolutions([](const folder_files& files) {
    EXPECT_EQ(content_of(files.open("plain.txt")), "plain");
    EXPECT_EQ(content_of(files.open("sub/below.txt")), "below");
    EXPECT_EQ(content_of(files.open("sub/deeper/last.txt")), "last");
    EXPECT_TRUE(files.blocks());
  });
}

TEST_F(FolderFiles, WhatIsNotThereOrNoFileIsNothing) {
  ASSERT_EQ(::mkfifo((root / "pipe.txt").c_str(), 0600), 0);
  with_both_resolutions([](const folder_files& files) {
    for (const std::string path :
         {"missing.txt", "sub/missing.txt", "missing/a.txt", "sub", "plain.txt/a", "", "pipe.txt"}) {
      EXPECT_FALSE(files.open(path)) << path;
    }
    EXPECT_FALSE(files.open(std::string(300, 'x')));
    EXPECT_FALSE(files.open(std::string(5000, 'x')));
    std::string deep = "a";
    for (int i = 0; i < 3000; ++i) deep += "/a";
    EXPECT_FALSE(files.open(deep));
  });
}

TEST_F(FolderFiles, KnowsItsFolders) {
  with_both_resolutions([](const folder_files& files) {
    EXPECT_TRUE(files.has_folder(""));
    EXPECT_TRUE(files.has_folder("sub"));
    EXPECT_TRUE(files.has_folder("sub/deeper"));
    EXPECT_FALSE(files.has_folder("plain.txt"));
    EXPECT_FALSE(files.has_folder("missing"));
    EXPECT_FALSE(files.has_folder("plain.txt/sub"));
  });
}

TEST_F(FolderFiles, NothingLeadsOutOfTheRoot) {
  fs::create_symlink("../outside.txt", root / "relative.txt");
  fs::create_symlink(folder.path() / "outside.txt", root / "absolute.txt");
  fs::create_symlink("..", root / "up");
  fs::create_symlink("/", root / "top");
  fs::create_symlink("/proc/self/root", root / "magic");
  fs::create_symlink("loop.txt", root / "loop.txt");
  with_both_resolutions([this](const folder_files& files) {
    const std::string outside = folder.path().string().substr(1) + "/outside.txt";
    for (const std::string& path :
         {std::string("relative.txt"), std::string("absolute.txt"), std::string("up/outside.txt"), "top/" + outside,
          "magic/" + outside, std::string("loop.txt"), std::string("../outside.txt"),
          std::string("sub/../../outside.txt"), "/" + outside}) {
      EXPECT_FALSE(files.open(path)) << path;
    }
    for (const std::string path : {"up", "top", "magic", "..", "/"}) EXPECT_FALSE(files.has_folder(path)) << path;
  });
}

TEST_F(FolderFiles, LinksThatStayInsideAreFollowedWhereTheKernelVouchesForThem) {
  fs::create_symlink("sub/below.txt", root / "link.txt");
  fs::create_symlink("deeper", root / "sub" / "linked");
  fs::create_symlink("../plain.txt", root / "sub" / "up.txt");
  const folder_files step_by_step(root.string(), folder_files::resolution::step_by_step);
  EXPECT_FALSE(step_by_step.open("link.txt"));
  EXPECT_FALSE(step_by_step.open("sub/linked/last.txt"));
  EXPECT_FALSE(step_by_step.has_folder("sub/linked"));

  const folder_files beneath(root.string(), folder_files::resolution::beneath);
  if (!beneath.open("plain.txt")) GTEST_SKIP() << "this kernel has no openat2";
  EXPECT_EQ(content_of(beneath.open("link.txt")), "below");
  EXPECT_EQ(content_of(beneath.open("sub/linked/last.txt")), "last");
  EXPECT_EQ(content_of(beneath.open("sub/up.txt")), "plain");
  EXPECT_TRUE(beneath.has_folder("sub/linked"));
}

TEST_F(FolderFiles, TheStateFollowsSizeAndTime) {
  const folder_files files(root.string());
  set_time("plain.txt", 784111777, 5);
  const validators state = files.open("plain.txt")->state();
  EXPECT_EQ(state.entity_tag, "\"ae1b981bc490a05-5\"");
  EXPECT_EQ(state.last_modified, std::chrono::sys_seconds(std::chrono::seconds(784111777)));

  set_time("plain.txt", 784111777, 6);
  EXPECT_EQ(files.open("plain.txt")->state().entity_tag, "\"ae1b981bc490a06-5\"");
  EXPECT_EQ(files.open("plain.txt")->state().last_modified, state.last_modified);

  write("plain.txt", "longer");
  set_time("plain.txt", 784111777, 5);
  EXPECT_EQ(files.open("plain.txt")->state().entity_tag, "\"ae1b981bc490a05-6\"");
}

TEST_F(FolderFiles, AreReadFromAnywhereAndMayHaveBecomeShorter) {
  const folder_files files(root.string());
  write("plain.txt", "0123456789");
  const auto file = files.open("plain.txt");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 10U);
  std::array<std::byte, 4> into;
  EXPECT_EQ(file->read(8, into), 2U);
  EXPECT_EQ(test::text_of(std::span(into).first(2)), "89");
  EXPECT_EQ(file->read(10, into), 0U);
  EXPECT_EQ(file->read(1000, into), 0U);
  fs::resize_file(root / "plain.txt", 5);
  EXPECT_EQ(file->read(4, into), 1U);
  EXPECT_EQ(file->read(8, into), 0U);
}

TEST_F(FolderFiles, AFolderThatIsReplacedIsFoundAgain) {
  const folder_files files(root.string());
  EXPECT_EQ(content_of(files.open("plain.txt")), "plain");
  fs::rename(root, folder.path() / "old");
  EXPECT_FALSE(files.open("plain.txt"));
  fs::create_directory(root);
  write("plain.txt", "new");
  EXPECT_EQ(content_of(files.open("plain.txt")), "new");
}

TEST_F(FolderFiles, TheRootItselfMayBeALink) {
  fs::create_directory_symlink(root, folder.path() / "link");
  const folder_files files((folder.path() / "link").string());
  EXPECT_EQ(content_of(files.open("plain.txt")), "plain");
}

TEST_F(FolderFiles, WithoutAFolderThereIsNothingToServe) {
  EXPECT_THROW(folder_files((folder.path() / "missing").string()), std::system_error);
  EXPECT_THROW(folder_files((root / "plain.txt").string()), std::system_error);
}

}  // namespace
}  // namespace windhover::http
