// Topics and filters as MQTT 5.0, section 4.7, has them.
#include "websocket/topic_tree.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace windhover {
namespace {

using names = std::vector<std::string>;

struct named : topic_tree::subscription {
  explicit named(std::string_view filter) : name(filter) {}
  std::string name;
};

// A tree and what is in it.
class planted {
 public:
  explicit planted(const names& filters = {}) {
    for (const std::string& each : filters) insert(each);
  }
  planted(const planted&) = delete;
  planted& operator=(const planted&) = delete;
  ~planted() {
    while (!those_.empty()) remove(those_.size() - 1);
    EXPECT_TRUE(tree_.empty());
  }

  void insert(std::string_view filter) {
    those_.push_back(std::make_unique<named>(filter));
    tree_.insert(filter, *those_.back());
  }
  void remove(std::size_t which) {
    tree_.remove(*those_[which]);
    those_.erase(those_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  names matching(std::string_view topic) const {
    names found;
    tree_.match(topic, [&](topic_tree::subscription& each) { found.push_back(static_cast<named&>(each).name); });
    std::sort(found.begin(), found.end());
    return found;
  }
  std::size_t size() const noexcept { return those_.size(); }
  const std::string& name(std::size_t which) const { return those_[which]->name; }

 private:
  topic_tree tree_;
  std::vector<std::unique_ptr<named>> those_;
};

bool matches(std::string_view filter, std::string_view topic) {
  return !planted({std::string(filter)}).matching(topic).empty();
}

// ----- What they may be

TEST(TopicTree, TopicsHaveNoWildcards) {
  for (const std::string_view topic : {"a", "/", "//", "a/b", "/finance", "a b/\xc3\xa9", "$SYS/uptime"}) {
    EXPECT_TRUE(is_topic(topic)) << topic;
    EXPECT_TRUE(is_topic_filter(topic)) << topic;
  }
  for (const std::string_view topic : {"", "+", "#", "a/+", "a/#", "a+", "#a", "\xff", "a/\xc3"}) {
    EXPECT_FALSE(is_topic(topic)) << topic;
  }
  EXPECT_FALSE(is_topic(std::string_view("a\0b", 3)));
}

TEST(TopicTree, WildcardsAreLevelsOfTheirOwn) {
  // Section 4.7.1.
  for (const std::string_view filter :
       {"#", "+", "sport/tennis/#", "+/tennis/#", "sport/+/player1", "/+", "+/+", "a/+/#"})
    EXPECT_TRUE(is_topic_filter(filter)) << filter;
  for (const std::string_view filter :
       {"", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "+sport/a", "a/##", "#/a", "a/\xff/#", "++"})
    EXPECT_FALSE(is_topic_filter(filter)) << filter;
  EXPECT_FALSE(is_topic_filter(std::string_view("a/\0/#", 5)));
}

// ----- What matches

TEST(TopicTree, MatchesAsTheStandardSays) {
  // The examples of sections 4.7.1.2, 4.7.1.3 and 4.7.2.
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1"));
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1/ranking"));
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"));
  EXPECT_TRUE(matches("sport/#", "sport"));
  EXPECT_TRUE(matches("#", "sport/tennis"));
  EXPECT_TRUE(matches("sport/tennis/+", "sport/tennis/player1"));
  EXPECT_FALSE(matches("sport/tennis/+", "sport/tennis/player1/ranking"));
  EXPECT_FALSE(matches("sport/+", "sport"));
  EXPECT_TRUE(matches("sport/+", "sport/"));
  EXPECT_TRUE(matches("+/+", "/finance"));
  EXPECT_TRUE(matches("/+", "/finance"));
  EXPECT_FALSE(matches("+", "/finance"));
  EXPECT_FALSE(matches("#", "$SYS/uptime"));
  EXPECT_FALSE(matches("+/monitor/Clients", "$SYS/monitor/Clients"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/uptime"));
  EXPECT_TRUE(matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
  // Section 4.7.3: with regard to case, and a slash more is another topic.
  EXPECT_FALSE(matches("ACCOUNTS", "Accounts"));
  EXPECT_FALSE(matches("/finance", "finance"));
  EXPECT_TRUE(matches("a//b", "a//b"));
  EXPECT_TRUE(matches("a/+/b", "a//b"));
}

TEST(TopicTree, FindsAllThatMatchAndNoOther) {
  const planted tree({"a", "a/b", "a/+", "+/b", "+/+", "a/#", "#", "b/#", "a/b/c", "a/b"});
  EXPECT_EQ(tree.matching("a/b"), (names{"#", "+/+", "+/b", "a/#", "a/+", "a/b", "a/b"}));
  EXPECT_EQ(tree.matching("a"), (names{"#", "a", "a/#"}));
  EXPECT_EQ(tree.matching("b"), (names{"#", "b/#"}));
  EXPECT_EQ(tree.matching("a/b/c/d"), (names{"#", "a/#"}));
}

TEST(TopicTree, WhatWasRemovedMatchesNoMore) {
  planted tree({"a/b", "a/b", "a/+", "a/#"});
  tree.remove(0);
  EXPECT_EQ(tree.matching("a/b"), (names{"a/#", "a/+", "a/b"}));
  tree.remove(1);
  EXPECT_EQ(tree.matching("a/b"), (names{"a/#", "a/b"}));
  tree.insert("a/b/c");
  tree.remove(0);
  EXPECT_EQ(tree.matching("a/b/c"), (names{"a/#", "a/b/c"}));
}

// Level by level, as the standard describes it.
bool is_match(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') != filter.starts_with('$')) return false;
  for (;;) {
    if (filter == "#") return true;
    const std::size_t of_filter = filter.find('/');
    const std::size_t of_topic = topic.find('/');
    const std::string_view level = filter.substr(0, of_filter);
    if (level != "+" && level != topic.substr(0, of_topic)) return false;
    if (of_topic == std::string_view::npos) {
      return of_filter == std::string_view::npos || filter.substr(of_filter + 1) == "#";
    }
    if (of_filter == std::string_view::npos) return false;
    filter.remove_prefix(of_filter + 1);
    topic.remove_prefix(of_topic + 1);
  }
}

TEST(TopicTree, AgreesWithAPlainComparison) {
  std::mt19937 random(7);
  const auto some_text = [&](const std::vector<std::string_view>& levels) {
    std::string text(levels[random() % levels.size()]);
    for (auto more = random() % 4; more > 0; --more) text.append("/").append(levels[random() % levels.size()]);
    return text;
  };
  for (int round = 0; round < 20; ++round) {
    planted tree;
    for (int step = 0; step < 200; ++step) {
      std::string filter = some_text({"a", "b", "c", "", "+", "$s"});
      if (random() % 4 == 0) filter += "/#";
      tree.insert(filter);
      if (random() % 3 == 0) tree.remove(random() % tree.size());
      const std::string topic = some_text({"a", "b", "c", "", "$s"});
      names expected;
      for (std::size_t i = 0; i < tree.size(); ++i) {
        if (is_match(tree.name(i), topic)) expected.push_back(tree.name(i));
      }
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(tree.matching(topic), expected) << topic;
    }
  }
}

TEST(TopicTree, ManyLevelsAreNoDanger) {
  std::string topic(1023, '/');
  EXPECT_TRUE(matches(topic, topic));
  std::string filter = "+";
  for (int i = 0; i < 500; ++i) filter += "/+";
  EXPECT_TRUE(matches(filter + "/#", topic));
  EXPECT_FALSE(matches(filter, topic));
}

}  // namespace
}  // namespace windhover
