// Static files over a connection: from the disk and from the program, by the same rules.
#include "http/static_files.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "connection_peers.hpp"
#include "hosting/temporary_folder.hpp"
#include "http2_peers.hpp"
#include "net/worker_pool.hpp"

namespace windhover::http {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view server_fields = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Windhover\r\n";
constexpr std::string_view written = "Sat, 01 Oct 1994 00:00:00 GMT";
constexpr long written_seconds = 780969600;
constexpr std::string_view tag_of_page = "\"ad68fb6a4610000-f\"";
constexpr std::string_view page = "<p>hello, world";

// The files with which everything is tried, as a folder and embedded.
const std::vector<embedded_file> site = {
    {"/index.html", "", page},       {"/sub/default.htm", "", "default"}, {"/sub/index.html", "", "not this one"},
    {"/sub/a b.txt", "", "a and b"}, {"/digits.txt", "", "0123456789"},   {"/empty.txt", "", ""},
    {"/bare/file.txt", "", "alone"}, {"/data.unknown", "", "what is it"}, {"/LICENSE", "", "do what you like"},
};

// Serves files, and answers "next" for what goes on to the pipeline.
request_handler serving(const static_files& files) {
  return [&files](exchange& with) -> task<> {
    bool served = false;
    if (files.may_serve(with)) served = co_await files.serve(with);
    EXPECT_TRUE(served || !with.response().touched());
    if (!served) co_await with.response().write("next");
  };
}

std::string request_for(std::string_view target, std::string_view fields = {}, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

class StaticFiles : public ::testing::Test {
 protected:
  StaticFiles() {
    for (const embedded_file& each : site) write(std::string(each.path.substr(1)), each.content);
    folder.write("outside.txt", "outside");
  }

  void write(const std::string& name, std::string_view content) const {
    fs::create_directories((root / name).parent_path());
    folder.write("root/" + name, content);
    set_time(name, written_seconds);
  }
  void set_time(const std::string& name, long seconds) const {
    const std::array<timespec, 2> times{timespec{seconds, 0}, timespec{seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root / name).c_str(), times.data(), 0), 0);
  }
  static_file_options options() const {
    static_file_options made;
    made.root = root.string();
    return made;
  }

  std::string answer_of(const static_files& files, std::string_view request) const {
    connection_peers peers;
    peers.context.handler = serving(files);
    return peers.answer_to_all(request);
  }
  std::string answer(std::string_view request) const { return answer_of(static_files(options()), request); }
  static std::string status_of(std::string_view text) { return std::string(text.substr(9, 3)); }

  // The folder, and the same files out of the program.
  template <class Test>
  void with_both(const std::function<void(static_file_options&)>& change, Test&& test) const {
    static_file_options changed = options();
    if (change) change(changed);
    {
      SCOPED_TRACE("from the folder");
      test(static_files(changed));
    }
    SCOPED_TRACE("embedded");
    test(static_files(site, changed));
  }

  const hosting::temporary_folder folder;
  const fs::path root = folder.path() / "root";
};

// ----- The response

TEST_F(StaticFiles, AFileComesWithTypeLengthAndValidators) {
  EXPECT_EQ(answer(request_for("/index.html")),
            "HTTP/1.1 200 OK\r\nLast-Modified: " + std::string(written) + "\r\nETag: " + std::string(tag_of_page) +
                "\r\nAccept-Ranges: bytes\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 15\r\n" +
                std::string(server_fields) + "\r\n" + std::string(page));
}

TEST_F(StaticFiles, AnEmbeddedFileHasNoDateButATag) {
  EXPECT_EQ(answer_of(static_files(site), request_for("/digits.txt")),
            "HTTP/1.1 200 OK\r\nETag: \"h6zsF82dzSCnFsws9nQXtxyKcBY=\"\r\nAccept-Ranges: bytes\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n" +
                std::string(server_fields) + "\r\n0123456789");
}

TEST_F(StaticFiles, HeadIsAnsweredLikeGetWithoutTheBody) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string got = answer_of(files, request_for("/index.html"));
    const std::string head = answer_of(files, request_for("/index.html", {}, "HEAD"));
    EXPECT_EQ(head, got.substr(0, end_of_head(got)));
  });
}

TEST_F(StaticFiles, AnEmptyFileIsAnEmptyAnswer) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string received = answer_of(files, request_for("/empty.txt"));
    EXPECT_EQ(status_of(received), "200");
    EXPECT_EQ(header_of(received, "Content-Length"), "0");
    EXPECT_EQ(body_of(received), "");
  });
}

TEST_F(StaticFiles, NamesAreDecodedAndTheQueryDoesNotMatter) {
  with_both(nullptr, [this](const static_files& files) {
    EXPECT_EQ(body_of(answer_of(files, request_for("/sub/a%20b.txt?v=1"))), "a and b");
    EXPECT_EQ(body_of(answer_of(files, request_for("/sub/../digits%2Etxt"))), "0123456789");
  });
}

TEST_F(StaticFiles, TheConnectionGoesOnBehindAFile) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string received =
        answer_of(files, request_for("/digits.txt") + request_for("/missing.txt") + request_for("/index.html"));
    EXPECT_EQ(status_lines(received).size(), 3U);
    EXPECT_TRUE(received.ends_with(page));
  });
}

TEST_F(StaticFiles, CacheControlGoesWithTheFileAndWithItsAbsence) {
  with_both([](static_file_options& with) { with.cache_control = "public, max-age=60"; },
            [this](const static_files& files) {
              const std::string tag = header_of(answer_of(files, request_for("/index.html")), "ETag");
              for (const std::string& fields :
                   {std::string(), "If-None-Match: " + tag + "\r\n", std::string("Range: bytes=0-0\r\n")}) {
                EXPECT_EQ(header_of(answer_of(files, request_for("/index.html", fields)), "Cache-Control"),
                          "public, max-age=60");
              }
              EXPECT_EQ(header_of(answer_of(files, request_for("/missing.html")), "Cache-Control"), "");
            });
}

TEST_F(StaticFiles, ADateInTheFutureIsNotVouchedFor) {
  set_time("index.html", 4102444800);  // 2100; the clock of this test stands in 1994
  EXPECT_EQ(header_of(answer(request_for("/index.html")), "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_F(StaticFiles, AnEmbeddedFileMayNameItsType) {
  const std::vector<embedded_file> typed = {{"/page", "text/html", "x"}, {"/page.css", "text/x-mine", "x"}};
  const static_files files(typed);
  EXPECT_EQ(header_of(answer_of(files, request_for("/page")), "Content-Type"), "text/html");
  EXPECT_EQ(header_of(answer_of(files, request_for("/page.css")), "Content-Type"), "text/x-mine");
}

// ----- What is not for a file

TEST_F(StaticFiles, OtherMethodsAndUpgradesGoOnWithoutALook) {
  const static_files files(options());
  const auto may_serve = [&](std::string_view request) {
    std::optional<bool> outcome;
    connection_peers peers;
    peers.context.handler = [&](exchange& with) -> task<> {
      outcome = files.may_serve(with);
      co_return;
    };
    peers.answer_to_all(request);
    return outcome;
  };
  EXPECT_EQ(may_serve(request_for("/index.html")), true);
  EXPECT_EQ(may_serve(request_for("/index.html", {}, "HEAD")), true);
  EXPECT_EQ(may_serve(request_for("/missing.html")), true);
  for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "GETS"}) {
    EXPECT_EQ(may_serve(request_for("/index.html", {}, method)), false) << method;
  }
  EXPECT_EQ(may_serve(request_for("*", {}, "OPTIONS")), false);
  EXPECT_EQ(may_serve(request_for("/index.html", "Connection: Upgrade\r\nUpgrade: websocket\r\n")), false);
  EXPECT_EQ(may_serve(request_for("/.git/config")), false);
  EXPECT_EQ(may_serve(request_for("//index.html")), false);
}

TEST_F(StaticFiles, WhatIsNotThereGoesOn) {
  with_both(nullptr, [this](const static_files& files) {
    for (const std::string_view target : {"/missing.html", "/sub/missing.txt", "/index.html/", "/index.html/a",
                                          "/missing/", "/INDEX.HTML", "/bare", "/bare/"}) {
      EXPECT_EQ(body_of(answer_of(files, request_for(target))), "next") << target;
    }
    EXPECT_EQ(body_of(answer_of(files, request_for("/" + std::string(300, 'x') + ".txt"))), "next");
    EXPECT_EQ(body_of(answer_of(files, request_for("/" + std::string(5000, 'x') + ".txt"))), "next");
  });
}

TEST_F(StaticFiles, NothingOutsideOfTheRootAndNothingHiddenIsServed) {
  write(".hidden.txt", "hidden");
  write(".git/config.txt", "hidden");
  write("sub/.env.txt", "hidden");
  fs::create_symlink("../outside.txt", root / "link.txt");
  fs::create_symlink(folder.path() / "outside.txt", root / "absolute.txt");
  fs::create_symlink("..", root / "up");
  ASSERT_EQ(::mkfifo((root / "pipe.txt").c_str(), 0600), 0);
  write("back\\slash.txt", "hidden");
  with_both(nullptr, [this](const static_files& files) {
    for (const std::string_view target : {"/../outside.txt",
                                          "/sub/../../outside.txt",
                                          "/%2e%2e/outside.txt",
                                          "/..%2foutside.txt",
                                          "/%2e%2e%2foutside.txt",
                                          "/.%2e/outside.txt",
                                          "/..%5coutside.txt",
                                          "/sub/..%5c..%5coutside.txt",
                                          "/..%c0%afoutside.txt",
                                          "//outside.txt",
                                          "/./outside.txt",
                                          "/....//outside.txt",
                                          "/%252e%252e/outside.txt",
                                          "/.hidden.txt",
                                          "/%2ehidden.txt",
                                          "/.git/config.txt",
                                          "/sub/.env.txt",
                                          "/link.txt",
                                          "/absolute.txt",
                                          "/up/outside.txt",
                                          "/pipe.txt",
                                          "/back%5cslash.txt",
                                          "/sub%2fa%20b.txt"}) {
      const std::string received = answer_of(files, request_for(target));
      EXPECT_EQ(status_of(received), "200") << target;
      EXPECT_EQ(body_of(received), "next") << target;
    }
    EXPECT_EQ(status_of(answer_of(files, request_for("/index.html%00.txt"))), "400");
  });
}

TEST_F(StaticFiles, UnknownTypesAreServedOnlyWhenToldSo) {
  with_both(nullptr, [this](const static_files& files) {
    EXPECT_EQ(body_of(answer_of(files, request_for("/data.unknown"))), "next");
    EXPECT_EQ(body_of(answer_of(files, request_for("/LICENSE"))), "next");
  });
  with_both([](static_file_options& with) { with.serve_unknown_types = true; },
            [this](const static_files& files) {
              const std::string received = answer_of(files, request_for("/data.unknown"));
              EXPECT_EQ(body_of(received), "what is it");
              EXPECT_EQ(header_of(received, "Content-Type"), "application/octet-stream");
              EXPECT_EQ(body_of(answer_of(files, request_for("/LICENSE"))), "do what you like");
            });
  with_both(
      [](static_file_options& with) {
        with.content_types = {{".unknown", "text/x-known"}};
      },
      [this](const static_files& files) {
        EXPECT_EQ(header_of(answer_of(files, request_for("/data.unknown")), "Content-Type"), "text/x-known");
      });
}

TEST_F(StaticFiles, ARequestPathIsTakenOff) {
  with_both([](static_file_options& with) { with.request_path = "/files"; },
            [this](const static_files& files) {
              EXPECT_EQ(body_of(answer_of(files, request_for("/files/digits.txt"))), "0123456789");
              EXPECT_EQ(body_of(answer_of(files, request_for("/files/"))), page);
              EXPECT_EQ(header_of(answer_of(files, request_for("/files?x")), "Location"), "/files/?x");
              EXPECT_EQ(body_of(answer_of(files, request_for("/digits.txt"))), "next");
              EXPECT_EQ(body_of(answer_of(files, request_for("/filesdigits.txt"))), "next");
            });
}

TEST_F(StaticFiles, RefusesOptionsThatCannotBeMeant) {
  for (const std::string path : {"files", "/", "/files/", "//files", "/.files"}) {
    static_file_options wrong = options();
    wrong.request_path = path;
    EXPECT_THROW(static_files{wrong}, std::invalid_argument) << path;
  }
  static_file_options missing = options();
  missing.root += "/missing";
  EXPECT_THROW(static_files{missing}, std::system_error);
}

// ----- Folders

TEST_F(StaticFiles, AFolderIsItsFirstDefaultDocument) {
  with_both(nullptr, [this](const static_files& files) {
    EXPECT_EQ(body_of(answer_of(files, request_for("/"))), page);
    EXPECT_EQ(header_of(answer_of(files, request_for("/")), "Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(body_of(answer_of(files, request_for("/sub/"))), "default");
  });
  with_both(
      [](static_file_options& with) {
        with.default_documents = {"none.html", "a b.txt"};
      },
      [this](const static_files& files) {
        EXPECT_EQ(body_of(answer_of(files, request_for("/sub/"))), "a and b");
        EXPECT_EQ(body_of(answer_of(files, request_for("/"))), "next");
      });
}

TEST_F(StaticFiles, AFolderWithoutItsSlashIsRedirectedWithTheQuery) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string received = answer_of(files, request_for("/sub?a=1&b=%20"));
    EXPECT_EQ(status_of(received), "301");
    EXPECT_EQ(header_of(received, "Location"), "/sub/?a=1&b=%20");
    EXPECT_EQ(body_of(received), "");
    EXPECT_EQ(header_of(answer_of(files, request_for("/sub")), "Location"), "/sub/");
    EXPECT_EQ(header_of(answer_of(files, request_for("/sub?")), "Location"), "/sub/?");
    EXPECT_EQ(header_of(answer_of(files, request_for("/%73ub", {}, "HEAD")), "Location"), "/sub/");
  });
}

TEST_F(StaticFiles, ARedirectNeverLeadsToAnotherHost) {
  write("elsewhere.example/index.html", "");
  with_both(nullptr, [this](const static_files& files) {
    for (const std::string_view target :
         {"//elsewhere.example", "///elsewhere.example", "/.//elsewhere.example", "/sub/..//elsewhere.example",
          "/%5celsewhere.example", "//elsewhere.example/../../sub", "//elsewhere.example/..%2f../sub",
          "/\\elsewhere.example", "http://a//elsewhere.example"}) {
      const std::string location = header_of(answer_of(files, request_for(target)), "Location");
      EXPECT_FALSE(location.starts_with("//") || location.starts_with("/\\") ||
                   location.find("elsewhere") != std::string::npos)
          << target << " -> " << location;
    }
  });
}

// ----- Conditions

TEST_F(StaticFiles, WhatTheClientHasIsNotSentAgain) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string tag = header_of(answer_of(files, request_for("/index.html")), "ETag");
    for (const std::string_view method : {"GET", "HEAD"}) {
      const std::string received =
          answer_of(files, request_for("/index.html", "If-None-Match: W/" + tag + "\r\n", method));
      EXPECT_EQ(status_of(received), "304");
      EXPECT_EQ(header_of(received, "ETag"), tag);
      EXPECT_EQ(header_of(received, "Content-Length"), "");
      EXPECT_EQ(body_of(received), "");
    }
    EXPECT_EQ(status_of(answer_of(files, request_for("/index.html", "If-None-Match: \"x\"\r\n"))), "200");
    EXPECT_EQ(status_of(answer_of(files, request_for("/index.html", "If-Match: " + tag + "\r\n"))), "200");
    const std::string failed = answer_of(files, request_for("/index.html", "If-Match: \"x\"\r\n"));
    EXPECT_EQ(status_of(failed), "412");
    EXPECT_EQ(body_of(failed), "");
  });
}

TEST_F(StaticFiles, DatesOfTheFolderAreConditionsToo) {
  const std::string date(written);
  EXPECT_EQ(status_of(answer(request_for("/index.html", "If-Modified-Since: " + date + "\r\n"))), "304");
  EXPECT_EQ(status_of(answer(request_for("/index.html", "If-Modified-Since: Fri, 30 Sep 1994 23:59:59 GMT\r\n"))),
            "200");
  EXPECT_EQ(status_of(answer(request_for("/index.html", "If-Unmodified-Since: " + date + "\r\n"))), "200");
  EXPECT_EQ(status_of(answer(request_for("/index.html", "If-Unmodified-Since: Fri, 30 Sep 1994 23:59:59 GMT\r\n"))),
            "412");
}

TEST_F(StaticFiles, AFileThatWasWrittenAgainIsAnother) {
  const std::string tag = header_of(answer(request_for("/index.html")), "ETag");
  write("index.html", "<p>hello, again");
  set_time("index.html", written_seconds + 1);
  EXPECT_EQ(body_of(answer(request_for("/index.html", "If-None-Match: " + tag + "\r\n"))), "<p>hello, again");
}

// ----- Ranges

TEST_F(StaticFiles, APartIsSentForARange) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string received = answer_of(files, request_for("/digits.txt", "Range: bytes=2-4\r\n"));
    EXPECT_EQ(status_of(received), "206");
    EXPECT_EQ(header_of(received, "Content-Range"), "bytes 2-4/10");
    EXPECT_EQ(header_of(received, "Content-Length"), "3");
    EXPECT_EQ(header_of(received, "Content-Type"), "text/plain; charset=utf-8");
    EXPECT_NE(header_of(received, "ETag"), "");
    EXPECT_EQ(body_of(received), "234");
    EXPECT_EQ(body_of(answer_of(files, request_for("/digits.txt", "Range: bytes=-1\r\n"))), "9");
    EXPECT_EQ(body_of(answer_of(files, request_for("/digits.txt", "Range: bytes=8-\r\n"))), "89");
  });
}

TEST_F(StaticFiles, ARangeBehindTheEndIs416) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string received = answer_of(files, request_for("/digits.txt", "Range: bytes=10-\r\n"));
    EXPECT_EQ(status_of(received), "416");
    EXPECT_EQ(header_of(received, "Content-Range"), "bytes */10");
    EXPECT_EQ(header_of(received, "Content-Length"), "0");
    EXPECT_EQ(body_of(received), "");
  });
}

TEST_F(StaticFiles, SeveralOrMalformedRangesAndHeadGetTheWhole) {
  with_both(nullptr, [this](const static_files& files) {
    for (const std::string_view fields : {"Range: bytes=0-1,3-4\r\n", "Range: bytes=4-2\r\n", "Range: lines=1-2\r\n",
                                          "Range: bytes=0-1\r\nRange: bytes=0-1\r\n"}) {
      const std::string received = answer_of(files, request_for("/digits.txt", fields));
      EXPECT_EQ(status_of(received), "200") << fields;
      EXPECT_EQ(header_of(received, "Content-Range"), "") << fields;
      EXPECT_EQ(body_of(received), "0123456789") << fields;
    }
    const std::string head = answer_of(files, request_for("/digits.txt", "Range: bytes=2-4\r\n", "HEAD"));
    EXPECT_EQ(status_of(head), "200");
    EXPECT_EQ(header_of(head, "Content-Length"), "10");
  });
}

TEST_F(StaticFiles, IfRangeSendsThePartOnlyOfTheSameFile) {
  with_both(nullptr, [this](const static_files& files) {
    const std::string tag = header_of(answer_of(files, request_for("/digits.txt")), "ETag");
    const auto body_for = [&](const std::string& condition) {
      return body_of(
          answer_of(files, request_for("/digits.txt", "Range: bytes=2-4\r\nIf-Range: " + condition + "\r\n")));
    };
    EXPECT_EQ(body_for(tag), "234");
    EXPECT_EQ(body_for("\"x\""), "0123456789");
    EXPECT_EQ(body_for("W/" + tag), "0123456789");
  });
  EXPECT_EQ(
      body_of(answer(request_for("/digits.txt", "Range: bytes=2-4\r\nIf-Range: " + std::string(written) + "\r\n"))),
      "234");
}

TEST_F(StaticFiles, ConditionsComeBeforeRanges) {
  with_both(nullptr, [this](const static_files& files) {
    EXPECT_EQ(status_of(answer_of(files, request_for("/digits.txt", "Range: bytes=10-\r\nIf-None-Match: *\r\n"))),
              "304");
    EXPECT_EQ(status_of(answer_of(files, request_for("/digits.txt", "Range: bytes=2-4\r\nIf-Match: \"x\"\r\n"))),
              "412");
  });
}

// ----- Large files

class LargeStaticFiles : public StaticFiles {
 protected:
  LargeStaticFiles() {
    for (int i = 0; i < 1'000'000; ++i) large += static_cast<char>('a' + i % 26);
    write("large.txt", large);
  }

  std::string large;
};

TEST_F(LargeStaticFiles, AreSentInPieces) {
  EXPECT_TRUE(body_of(answer(request_for("/large.txt"))) == large);
  EXPECT_TRUE(body_of(answer(request_for("/large.txt", "Range: bytes=123456-789012\r\n"))) ==
              large.substr(123'456, 665'557));
  const std::vector<embedded_file> program = {{"/large.txt", "", large}};
  EXPECT_TRUE(body_of(answer_of(static_files(program), request_for("/large.txt"))) == large);
}

TEST_F(LargeStaticFiles, WaitForAClientThatDoesNotRead) {
  const static_files files(options());
  connection_peers peers;
  peers.context.handler = serving(files);
  peers.client.takes = false;
  peers.connect();
  peers.send(request_for("/large.txt"));
  peers.run_idle();
  EXPECT_LT(peers.server_end->queued_bytes(), 200'000U);
  peers.take();
  peers.run_until([&] { return body_of(peers.client.received).size() == large.size(); });
  EXPECT_TRUE(body_of(peers.client.received) == large);
}

TEST_F(LargeStaticFiles, BreakOffWhenTheyBecomeShorterWhileTheyAreSent) {
  const static_files files(options());
  connection_peers peers;
  peers.context.handler = serving(files);
  peers.client.takes = false;
  peers.connect();
  peers.send(request_for("/large.txt"));
  peers.run_idle();
  fs::resize_file(root / "large.txt", 500'000);
  peers.take();
  peers.run_until_end();
  EXPECT_EQ(peers.client.failed, net::failure::cause::reset);
  EXPECT_LE(body_of(peers.client.received).size(), 500'000U);
  EXPECT_NE(peers.log.lines.find("the static file for /large.txt became shorter"), std::string::npos)
      << peers.log.lines;
  peers.run_until_gone();
}

TEST_F(LargeStaticFiles, KeepTheirAnnouncedLengthWhenTheyGrowWhileTheyAreSent) {
  const static_files files(options());
  connection_peers peers;
  peers.context.handler = serving(files);
  peers.client.takes = false;
  peers.connect();
  peers.send(request_for("/large.txt") + request_for("/digits.txt"));
  peers.run_idle();
  fs::resize_file(root / "large.txt", 2'000'000);
  peers.take();
  peers.run_until([&] { return peers.client.received.ends_with("0123456789"); });
  EXPECT_EQ(header_of(peers.client.received, "Content-Length"), "1000000");
  EXPECT_TRUE(body_of(peers.client.received).starts_with(large + "HTTP/1.1 200 OK\r\n"));
}

TEST_F(LargeStaticFiles, MayLoseTheirClientBehindAnyPiece) {
  const static_files files(options());
  for (std::size_t after = 1; after < 1'000'000; after += 61'003) {
    SCOPED_TRACE("after " + std::to_string(after));
    connection_peers peers(4'000);
    peers.context.handler = serving(files);
    peers.client.after_bytes = [&] {
      if (peers.client.received.size() >= after) peers.client_end->abort();
    };
    peers.connect();
    peers.send(request_for("/large.txt"));
    peers.run_until_gone();
    EXPECT_LT(peers.client.received.size(), after + 4'000);
  }
}

// ----- With threads and sockets

TEST_F(LargeStaticFiles, ComeFromTheWorkerPoolOverSockets) {
  const static_files files(options());
  for (const auto kind : {test::kind_of_transport::tcp_epoll, test::kind_of_transport::tcp_io_uring}) {
    SCOPED_TRACE(test::name_of(kind));
    net::worker_pool workers({.threads = 2, .queue = 64});
    connection_peers peers(kind, &workers);
    peers.context.handler = serving(files);
    peers.connect();
    peers.send(request_for("/digits.txt") + request_for("/missing.txt") + request_for("/large.txt"));
    peers.run_until([&] { return peers.client.received.ends_with(large); });
    EXPECT_EQ(status_lines(peers.client.received).size(), 3U);
    peers.client_end->close();
    peers.run_until_gone();
    EXPECT_FALSE(peers.client.failed);
  }
}

TEST_F(LargeStaticFiles, MayLoseTheirClientWhileAWorkerReads) {
  const static_files files(options());
  for (const auto kind : {test::kind_of_transport::tcp_epoll, test::kind_of_transport::tcp_io_uring}) {
    SCOPED_TRACE(test::name_of(kind));
    net::worker_pool workers({.threads = 2, .queue = 64});
    for (std::size_t after = 1; after < 500'000; after += 100'000) {
      connection_peers peers(kind, &workers);
      peers.context.handler = serving(files);
      peers.client.after_bytes = [&] {
        if (peers.client.received.size() >= after) peers.client_end->abort();
      };
      peers.connect();
      peers.send(request_for("/large.txt"));
      peers.run_until_gone();
    }
  }
}

TEST_F(StaticFiles, AWorkerPoolThatIsFullIsAnError500) {
  const static_files files(options());
  net::worker_pool workers({.threads = 1, .queue = 0});
  connection_peers peers(test::kind_of_transport::tcp_epoll, &workers);
  peers.context.handler = serving(files);
  EXPECT_EQ(status_of(peers.answer_to_all(request_for("/index.html"))), "500");
}

// ----- How many at a time

TEST_F(StaticFiles, ClientsThatDoNotReadHoldOnlySoManyFilesOpen) {
  write("large.txt", std::string(300'000, 'x'));
  static_file_options few = options();
  few.max_open_files = 2;
  const static_files files(few);
  http2_peers peers;
  peers.context().handler = serving(files);
  constexpr std::uint16_t initial_window = 4;
  peers.connect(peers.peer.get(1, "/large.txt") + peers.peer.get(3, "/large.txt") + peers.peer.get(5, "/large.txt") +
                    peers.peer.get(7, "/nothing") + peers.peer.get(9, "/index.html"),
                test::setting(initial_window, 0));
  peers.run_until([&] { return !peers.answer(9).status.empty() && !peers.answer(5).status.empty(); });
  EXPECT_EQ(peers.answer(1).status, "200");
  EXPECT_EQ(peers.answer(3).status, "200");
  EXPECT_EQ(peers.answer(5).status, "503");
  EXPECT_EQ(peers.answer(5).field("retry-after"), "1");
  EXPECT_EQ(peers.answer(7).status, "200") << "what is no file goes on to the pipeline";
  EXPECT_EQ(peers.answer(9).status, "200") << "what is read at once is not open";

  peers.send(test::rst_stream(1));
  peers.run_idle();
  peers.send(peers.peer.get(11, "/large.txt"));
  peers.run_until([&] { return !peers.answer(11).status.empty(); });
  EXPECT_EQ(peers.answer(11).status, "200") << "there is a place again";
  peers.ends.client_end->abort();
  peers.ends.run_until_gone();
}

TEST_F(StaticFiles, FilesOfTheProgramAreNeverOpen) {
  static_file_options few = options();
  few.max_open_files = 1;
  EXPECT_EQ(status_of(answer_of(static_files(site, few), request_for("/index.html"))), "200");
}

}  // namespace
}  // namespace windhover::http
