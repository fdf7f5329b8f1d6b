#include "hosting/console_logger.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>
#include <streambuf>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::hosting {
namespace {

// The line behind its time, which is checked: 2026-01-31T12:00:00.123Z.
std::string without_time(std::string_view line) {
  constexpr std::string_view shape = "0000-00-00T00:00:00.000Z ";
  std::string start(line.substr(0, shape.size()));
  std::ranges::replace_if(
      start, [](char c) { return c >= '1' && c <= '9'; }, '0');
  EXPECT_EQ(start, shape);
  return std::string(line.substr(std::min(shape.size(), line.size())));
}

// What the logger writes for one message, without the time.
std::string written(log_level level, std::string_view category, std::string_view text) {
  std::ostringstream output;
  console_logger(log_level::trace, output).write(level, category, text);
  return without_time(output.str());
}

// A stream that takes everything and counts how often it is flushed.
class flush_counter : public std::streambuf {
 public:
  int count = 0;

 protected:
  int overflow(int character) override { return character == EOF ? 0 : character; }
  int sync() override {
    ++count;
    return 0;
  }
};

// A stream on which every write fails.
class broken_stream : public std::streambuf {
 protected:
  int overflow(int) override { return EOF; }
};

TEST(console_logger, a_message_is_one_line_with_time_level_and_category) {
  EXPECT_EQ(written(log_level::information, "hosting", "Now listening on: http://localhost:5000"),
            "info     hosting: Now listening on: http://localhost:5000\n");
}

TEST(console_logger, every_level_has_its_name_in_a_column_of_its_own) {
  EXPECT_EQ(written(log_level::trace, "c", "t"), "trace    c: t\n");
  EXPECT_EQ(written(log_level::debug, "c", "t"), "debug    c: t\n");
  EXPECT_EQ(written(log_level::information, "c", "t"), "info     c: t\n");
  EXPECT_EQ(written(log_level::warning, "c", "t"), "warning  c: t\n");
  EXPECT_EQ(written(log_level::error, "c", "t"), "error    c: t\n");
  EXPECT_EQ(written(log_level::critical, "c", "t"), "critical c: t\n");
}

TEST(console_logger, messages_below_the_minimum_are_dropped) {
  constexpr log_level levels[] = {log_level::trace, log_level::debug,    log_level::information, log_level::warning,
                                  log_level::error, log_level::critical, log_level::none};
  for (const log_level minimum : levels) {
    for (const log_level level : levels) {
      std::ostringstream output;
      console_logger logger(minimum, output);
      logger.write(level, "c", "t");
      const bool expected = level >= minimum && level != log_level::none;
      EXPECT_EQ(logger.enabled(level), expected);
      EXPECT_EQ(!output.str().empty(), expected);
    }
  }
}

TEST(console_logger, a_text_from_the_network_cannot_start_a_line_or_steer_the_terminal) {
  EXPECT_EQ(written(log_level::information, "c", "path /\r\n2026-01-31T12:00:00.123Z info hosting: forged\x1b[2J\xff"),
            "info     c: path /\\r\\n2026-01-31T12:00:00.123Z info hosting: forged\\x1b[2J\\xff\n");
  EXPECT_EQ(written(log_level::information, "c\nd", "t"), "info     c\\nd: t\n");
}

TEST(console_logger, braces_and_percent_signs_are_no_formats) {
  EXPECT_EQ(written(log_level::information, "c", "{} {0} %v %s %n {"), "info     c: {} {0} %v %s %n {\n");
}

TEST(console_logger, warnings_and_what_is_worse_are_flushed_at_once) {
  flush_counter buffer;
  std::ostream output(&buffer);
  console_logger logger(log_level::trace, output);
  logger.write(log_level::trace, "c", "t");
  logger.write(log_level::information, "c", "t");
  EXPECT_EQ(buffer.count, 0);
  logger.write(log_level::warning, "c", "t");
  EXPECT_EQ(buffer.count, 1);
  logger.write(log_level::error, "c", "t");
  logger.write(log_level::critical, "c", "t");
  EXPECT_EQ(buffer.count, 3);
}

TEST(console_logger, the_end_of_the_logger_flushes) {
  flush_counter buffer;
  std::ostream output(&buffer);
  { console_logger(log_level::trace, output).write(log_level::information, "c", "t"); }
  EXPECT_EQ(buffer.count, 1);
}

TEST(console_logger, a_stream_that_throws_does_no_harm) {
  broken_stream buffer;
  std::ostream output(&buffer);
  output.exceptions(std::ios::badbit | std::ios::failbit);
  console_logger logger(log_level::trace, output);
  ::testing::internal::CaptureStderr();
  logger.write(log_level::critical, "c", "t");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(console_logger, a_line_reaches_the_standard_output_at_once) {
  ::testing::internal::CaptureStdout();
  console_logger logger(log_level::information);
  logger.write(log_level::information, "hosting", "Application started. Press Ctrl+C to shut down.");
  const std::string output = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(without_time(output), "info     hosting: Application started. Press Ctrl+C to shut down.\n");
}

TEST(console_logger, lines_of_many_threads_stay_whole) {
  constexpr int threads = 4;
  constexpr int lines = 250;
  const std::string filling(100, 'x');
  std::ostringstream output;
  {
    console_logger logger(log_level::trace, output);
    std::vector<std::thread> writers;
    for (int writer = 0; writer < threads; ++writer)
      writers.emplace_back([&logger, &filling, writer] {
        for (int line = 0; line < lines; ++line)
          logger.write(log_level::information, "c", std::to_string(writer) + "/" + std::to_string(line) + filling);
      });
    for (std::thread& writer : writers) writer.join();
  }
  std::set<std::string> seen;
  std::istringstream input(output.str());
  for (std::string line; std::getline(input, line);) {
    const std::string message = without_time(line);
    ASSERT_TRUE(message.starts_with("info     c: ") && message.ends_with(filling)) << line;
    ASSERT_EQ(message.find('x'), message.size() - filling.size()) << line;
    seen.insert(message);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(threads * lines));
}

}  // namespace
}  // namespace windhover::hosting
