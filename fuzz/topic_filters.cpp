// Topics and filters (MQTT 5.0, section 4.7): the tree finds the same subscriptions as a comparison level by level, and
// is empty when all of them have gone. Input: lines, each a filter that is added, "-" and a number for one that goes,
// or "=" and a topic that is published to.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "reference_utf8.hpp"
#include "websocket/topic_tree.hpp"

namespace windhover::fuzz {

namespace {

struct planted : topic_tree::subscription {
  explicit planted(std::string_view text) : filter(text) {}
  std::string filter;
};

std::vector<std::string_view> levels_of(std::string_view text) {
  std::vector<std::string_view> levels;
  for (;;) {
    const std::size_t end = text.find('/');
    levels.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return levels;
    text.remove_prefix(end + 1);
  }
}

bool may_be_filter(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos || !judge_utf8(text).valid) return false;
  const auto levels = levels_of(text);
  for (std::size_t each = 0; each < levels.size(); ++each) {
    if (levels[each] == "+" || (levels[each] == "#" && each + 1 == levels.size())) continue;
    if (levels[each].find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

bool matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  const auto wanted = levels_of(filter);
  const auto levels = levels_of(topic);
  for (std::size_t each = 0; each < wanted.size(); ++each) {
    if (wanted[each] == "#") return true;
    if (each == levels.size() || (wanted[each] != "+" && wanted[each] != levels[each])) return false;
  }
  return wanted.size() == levels.size();
}

}  // namespace

void try_input(input in) {
  topic_tree tree;
  std::vector<std::unique_ptr<planted>> all;
  const auto remove = [&](std::size_t which) {
    tree.remove(*all[which]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
  };
  while (!in.empty()) {
    const std::string_view line = in.line();
    if (line.starts_with('=')) {
      const std::string_view topic = line.substr(1);
      const bool plain = topic.find_first_of("+#") == std::string_view::npos;
      require(is_topic(topic) == (plain && may_be_filter(topic)), "a topic is a filter without wildcards");
      if (!is_topic(topic)) continue;
      std::vector<const topic_tree::subscription*> found;
      tree.match(topic, [&](topic_tree::subscription& each) { found.push_back(&each); });
      std::vector<const topic_tree::subscription*> expected;
      for (const auto& each : all) {
        if (matches(each->filter, topic)) expected.push_back(each.get());
      }
      std::sort(found.begin(), found.end());
      std::sort(expected.begin(), expected.end());
      require(found == expected, "those are found that match, once each");
    } else if (line.starts_with('-')) {
      if (!all.empty()) remove(input(std::as_bytes(std::span(line.substr(1)))).octet() % all.size());
    } else {
      require(is_topic_filter(line) == may_be_filter(line), "a filter is judged right");
      if (!is_topic_filter(line) || all.size() == 100) continue;
      all.push_back(std::make_unique<planted>(line));
      tree.insert(line, *all.back());
    }
    require(tree.empty() == all.empty(), "a tree knows whether it is empty");
  }
  while (!all.empty()) remove(all.size() / 2);
  require(tree.empty(), "nothing is left of what has gone");
}

}  // namespace windhover::fuzz
