// A result as people and programs read it.
#include "load/report.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windhover::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// 1,000 messages in two seconds: 1 us, 2 us, ... 1 ms.
load_result result_of(const load_options& options = {.url = "ws://localhost:5000/ws"}) {
  load_result made;
  made.options = options;
  made.engine = "epoll";
  made.time = seconds(2);
  made.messages = 1000;
  made.bytes = 1000 * 2048;
  for (int i = 1; i <= 1000; ++i) made.latencies.add(microseconds(i));
  made.busiest_thread = 0.5;
  made.own_cpu = 0.5;
  return made;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
// What stands behind a title, or nothing.
std::string line_of(const std::string& text, std::string_view title) {
  const std::size_t at = text.find("\n  " + std::string(title));
  if (at == std::string::npos) return "";
  const std::size_t begin = text.find_first_not_of(' ', at + 3 + title.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(ReadableTime, HasThreeDigitsAndTheUnitThatFits) {
  EXPECT_EQ(readable(std::chrono::nanoseconds(0)), "0 ns");
  EXPECT_EQ(readable(std::chrono::nanoseconds(999)), "999 ns");
  EXPECT_EQ(readable(std::chrono::nanoseconds(1234)), "1.23 us");
  EXPECT_EQ(readable(microseconds(118)), "118 us");
  EXPECT_EQ(readable(microseconds(45'600)), "45.6 ms");
  EXPECT_EQ(readable(milliseconds(2500)), "2.50 s");
  EXPECT_EQ(readable(seconds(600)), "600 s");
}

TEST(TextReport, BeginsWithWhatWasDone) {
  struct shown {
    load_options options;
    std::string line;
  };
  const std::string url = "ws://localhost:5000/ws";
  for (const shown& each : std::initializer_list<shown>{
           {{.url = url}, "echo: ws://localhost:5000/ws, 50 connections, 20 bytes, 1 in flight, 2.00 s"},
           {{.url = url, .connections = 1, .least_size = 1, .most_size = 1, .rate = 1},
            "echo: ws://localhost:5000/ws, 1 connection, 1 byte, 1 message a second, 2.00 s"},
           {{.url = url, .connections = 2, .least_size = 0, .most_size = 2000, .rate = 2500},
            "echo: ws://localhost:5000/ws, 2 connections, 0 to 2,000 bytes, 2,500 messages a second, 2.00 s"},
           {{.url = url, .scenario = scenario::broadcast, .in_flight = 4},
            "broadcast: ws://localhost:5000/ws, 50 connections, 20 bytes, 4 in flight, 2.00 s"},
           {{.url = url, .scenario = scenario::idle, .connections = 10'000},
            "idle: ws://localhost:5000/ws, 10,000 connections, 2.00 s"},
           {{.url = url, .scenario = scenario::churn},
            "churn: ws://localhost:5000/ws, 50 connections, 20 bytes, 2.00 s"},
           {{.url = url, .scenario = scenario::storm}, "storm: ws://localhost:5000/ws, 50 connections, 2.00 s"},
           {{.url = url, .compress = true},
            "echo: ws://localhost:5000/ws, 50 connections, 20 bytes, 1 in flight, compressed, 2.00 s"},
       }) {
    EXPECT_EQ(first_line(text_of(result_of(each.options))), each.line);
  }
}

TEST(TextReport, ShowsRateAndLatencies) {
  const std::string text = text_of(result_of());
  EXPECT_EQ(line_of(text, "rate"), "500 messages a second, 1000 KiB a second");
  const std::string latency = line_of(text, "latency");
  EXPECT_TRUE(latency.starts_with("p50 50")) << latency;
  for (const char* each : {"p90 90", "p99 99", "p99.9 ", "p99.99 ", "max 1.00 ms"}) {
    EXPECT_NE(latency.find(each), std::string::npos) << each << " in " << latency;
  }
  EXPECT_EQ(line_of(text, "sent late"), "");
  EXPECT_EQ(line_of(text, "server"), "");
}

TEST(TextReport, ShowsFractionsWhereLittleHappens) {
  load_result result = result_of();
  result.messages = 3;
  EXPECT_TRUE(line_of(text_of(result), "rate").starts_with("1.50 messages a second"));
  result.messages = 0;
  EXPECT_TRUE(line_of(text_of(result), "rate").starts_with("0 messages a second"));
}

TEST(TextReport, CountsWhatTheScenarioIsAbout) {
  load_options options{.url = "ws://localhost/"};
  options.scenario = scenario::broadcast;
  EXPECT_TRUE(line_of(text_of(result_of(options)), "rate").starts_with("500 deliveries a second, "));
  options.scenario = scenario::churn;
  EXPECT_TRUE(line_of(text_of(result_of(options)), "rate").starts_with("500 connections a second, "));
  options.scenario = scenario::storm;
  EXPECT_EQ(line_of(text_of(result_of(options)), "rate"), "500 connections a second");
  options.scenario = scenario::idle;
  EXPECT_EQ(line_of(text_of(result_of(options)), "rate"), "");
}

TEST(TextReport, WithARateSaysHowLateTheGeneratorWas) {
  load_result result = result_of({.url = "ws://localhost/", .rate = 500});
  result.delays.add(microseconds(5));
  EXPECT_EQ(line_of(text_of(result), "sent late"), "p50 5.00 us   p99 5.00 us   max 5.00 us");
}

TEST(TextReport, ShowsWhatTheServerCost) {
  load_result result = result_of();
  result.server = {.cpu = milliseconds(500), .resident = 12'582'912, .resident_before = 12'582'912 - 50 * 2048};
  EXPECT_EQ(line_of(text_of(result), "server"),
            "25.0 % of a processor, 500 us for each of the messages, 12.0 MiB of memory, 2.00 KiB more for each "
            "connection");
}

TEST(TextReport, SaysWhenTheGeneratorWasTheLimit) {
  load_result result = result_of();
  EXPECT_EQ(line_of(text_of(result), "generator"), "50.0 % of a processor on 1 thread, epoll");
  result.busiest_thread = 0.96;
  result.own_cpu = 1.5;
  result.options.threads = 2;
  const std::string line = line_of(text_of(result), "generator");
  EXPECT_TRUE(line.starts_with("150 % of a processor on 2 threads, epoll; IT WAS THE LIMIT")) << line;
}

TEST(JsonReport, HasEveryMember) {
  load_result result = result_of({.url = "ws://localhost:5000/\"ws", .least_size = 16, .most_size = 64, .rate = 500});
  result.delays.add(microseconds(5));
  result.server = {.cpu = milliseconds(500), .resident = 3000, .resident_before = 1000};
  const auto json = nlohmann::json::parse(json_of(result));
  EXPECT_EQ(json.at("windhover_bench"), 1);
  EXPECT_EQ(json.at("scenario"), "echo");
  EXPECT_EQ(json.at("url"), "ws://localhost:5000/\"ws");
  EXPECT_EQ(json.at("connections"), 50);
  EXPECT_EQ(json.at("size"), (nlohmann::json{16, 64}));
  EXPECT_EQ(json.at("in_flight"), 1);
  EXPECT_EQ(json.at("rate_wanted"), 500);
  EXPECT_EQ(json.at("compress"), false);
  EXPECT_EQ(json.at("text"), false);
  EXPECT_EQ(json.at("checked"), false);
  EXPECT_EQ(json.at("engine"), "epoll");
  EXPECT_EQ(json.at("threads"), 1);
  EXPECT_EQ(json.at("seconds"), 2);
  EXPECT_EQ(json.at("messages"), 1000);
  EXPECT_EQ(json.at("bytes"), 2'048'000);
  EXPECT_EQ(json.at("rate"), 500);
  EXPECT_EQ(json.at("latency_ns").at("count"), 1000);
  EXPECT_EQ(json.at("latency_ns").at("min"), 1000);
  EXPECT_EQ(json.at("latency_ns").at("mean"), 500'500);
  EXPECT_EQ(json.at("latency_ns").at("max"), 1'000'000);
  double before = 0;
  for (const char* name : {"p50", "p90", "p99", "p99.9", "p99.99"}) {
    const double value = json.at("latency_ns").at(name);
    EXPECT_GT(value, before) << name;
    before = value;
  }
  EXPECT_NEAR(static_cast<double>(json.at("latency_ns").at("p90")), 900'000, 9000);
  for (const char* name : {"p50", "p99", "max"}) EXPECT_EQ(json.at("sent_late_ns").at(name), 5000) << name;
  EXPECT_EQ(json.at("server").at("pid"), 0);
  EXPECT_EQ(json.at("server").at("cpu_seconds"), 0.5);
  EXPECT_EQ(json.at("server").at("cpu_ns_per_message"), 500'000);
  EXPECT_EQ(json.at("server").at("resident_bytes"), 3000);
  EXPECT_EQ(json.at("server").at("resident_bytes_before"), 1000);
  EXPECT_EQ(json.at("server").at("resident_bytes_per_connection"), 40);
  EXPECT_EQ(json.at("generator").at("cpu"), 0.5);
  EXPECT_EQ(json.at("generator").at("busiest_thread"), 0.5);
  EXPECT_EQ(json.at("generator").at("was_the_limit"), false);
}

TEST(JsonReport, LeavesOutWhatIsNotKnown) {
  const auto json = nlohmann::json::parse(json_of(result_of()));
  EXPECT_FALSE(json.contains("server"));
  EXPECT_FALSE(json.contains("sent_late_ns"));
}

TEST(LoadResult, OfNoTimeAndNoServerIsZeros) {
  const load_result nothing;
  EXPECT_EQ(nothing.per_second(0), 0);
  EXPECT_EQ(nothing.server_nanoseconds_per_message(), 0);
  EXPECT_EQ(nothing.resident_per_connection(), 0);
  EXPECT_FALSE(nothing.generator_was_the_limit());
}

}  // namespace
}  // namespace windhover::load
