// The filters of the subscribers of one event loop, as a tree of their levels (MQTT 5.0, section 4.7).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace windhover {

// Whether it may be published to, and whether it may be subscribed to.
bool is_topic(std::string_view text) noexcept;
bool is_topic_filter(std::string_view text) noexcept;

class topic_tree {
  struct node;

 public:
  // One filter of somebody. Must have been removed before it is destroyed.
  class subscription {
   private:
    friend class topic_tree;
    node* at_ = nullptr;
    std::size_t position_ = 0;
    bool all_below_ = false;  // the filter ends in '#'
  };

  topic_tree();
  topic_tree(const topic_tree&) = delete;
  topic_tree& operator=(const topic_tree&) = delete;
  ~topic_tree();

  // Throws std::bad_alloc, and then nothing has changed.
  void insert(std::string_view filter, subscription& added);
  void remove(subscription& gone) noexcept;
  bool empty() const noexcept;

  // Calls visit(subscription&) for each whose filter the topic matches, which must not change the tree.
  template <class Visit>
  void match(std::string_view topic, const Visit& visit) const {
    match_below(*root_, topic, topic.starts_with('$') ? wildcards::do_not_count : wildcards::count, visit);
  }

 private:
  enum class wildcards : bool { do_not_count, count };

  struct node {
    node* parent = nullptr;
    std::string level;
    std::map<std::string_view, std::unique_ptr<node>> children;  // by their levels
    std::unique_ptr<node> any;                                   // the level '+'
    std::vector<subscription*> here;                             // the filter ends with this level
    std::vector<subscription*> below;                            // or with a '#' behind it

    bool needless() const noexcept { return children.empty() && !any && here.empty() && below.empty(); }
  };

  static constexpr std::size_t no_more_levels = std::string_view::npos;

  node* child(node& of, std::string_view level);
  void prune(node* at) noexcept;

  template <class Visit>
  static void visit_all(const std::vector<subscription*>& those, const Visit& visit) {
    for (subscription* each : those) visit(*each);
  }

  // `rest`: the levels behind those that have led here.
  template <class Visit>
  static void match_below(const node& at, std::string_view rest, wildcards counting, const Visit& visit) {
    const std::size_t end = rest.find('/');
    const std::string_view level = rest.substr(0, end);
    if (counting == wildcards::count) {
      visit_all(at.below, visit);
      if (at.any) match_behind(*at.any, rest, end, visit);
    }
    if (const auto found = at.children.find(level); found != at.children.end()) {
      match_behind(*found->second, rest, end, visit);
    }
  }
  template <class Visit>
  static void match_behind(const node& at, std::string_view rest, std::size_t end, const Visit& visit) {
    if (end != no_more_levels) return match_below(at, rest.substr(end + 1), wildcards::count, visit);
    visit_all(at.here, visit);
    visit_all(at.below, visit);
  }

  std::unique_ptr<node> root_;
};

}  // namespace windhover
