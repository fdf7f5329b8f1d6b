#include "websocket/topic_tree.hpp"

#include <span>
#include <utility>

#include "wire/utf8.hpp"

namespace windhover {

bool is_topic(std::string_view text) noexcept {
  constexpr std::string_view not_in_topics("+#\0", 3);
  return !text.empty() && text.find_first_of(not_in_topics) == std::string_view::npos &&
         wire::valid_utf8(std::as_bytes(std::span(text)));
}

// A wildcard is a level of its own, and '#' the last one.
bool is_topic_filter(std::string_view text) noexcept {
  if (text.empty() || text.find('\0') != std::string_view::npos) return false;
  for (std::string_view rest = text;;) {
    const std::size_t end = rest.find('/');
    const bool last = end == std::string_view::npos;
    const std::string_view level = rest.substr(0, end);
    const bool wildcard = level == "+" || (last && level == "#");
    if (!wildcard && level.find_first_of("+#") != std::string_view::npos) return false;
    if (last) return wire::valid_utf8(std::as_bytes(std::span(text)));
    rest.remove_prefix(end + 1);
  }
}

topic_tree::topic_tree() : root_(std::make_unique<node>()) {}
topic_tree::~topic_tree() = default;

bool topic_tree::empty() const noexcept { return root_->needless(); }

topic_tree::node* topic_tree::child(node& of, std::string_view level) {
  if (level == "+") {
    if (!of.any) of.any = std::make_unique<node>();
    of.any->parent = &of;
    return of.any.get();
  }
  if (const auto found = of.children.find(level); found != of.children.end()) return found->second.get();
  auto made = std::make_unique<node>();
  made->parent = &of;
  made->level = level;
  node* const added = made.get();
  of.children.emplace(added->level, std::move(made));
  return added;
}

void topic_tree::insert(std::string_view filter, subscription& added) {
  node* at = root_.get();
  try {
    for (std::string_view rest = filter;;) {
      const std::size_t end = rest.find('/');
      const std::string_view level = rest.substr(0, end);
      added.all_below_ = level == "#";
      if (!added.all_below_) at = child(*at, level);
      if (end == no_more_levels) break;
      rest.remove_prefix(end + 1);
    }
    std::vector<subscription*>& in = added.all_below_ ? at->below : at->here;
    in.push_back(&added);
    added.position_ = in.size() - 1;
    added.at_ = at;
  } catch (...) {
    prune(at);
    throw;
  }
}

void topic_tree::remove(subscription& gone) noexcept {
  std::vector<subscription*>& in = gone.all_below_ ? gone.at_->below : gone.at_->here;
  in[gone.position_] = in.back();
  in[gone.position_]->position_ = gone.position_;
  in.pop_back();
  prune(std::exchange(gone.at_, nullptr));
}

// What nothing hangs on any more goes.
void topic_tree::prune(node* at) noexcept {
  while (at->parent != nullptr && at->needless()) {
    node& parent = *at->parent;
    if (at == parent.any.get()) {
      parent.any.reset();
    } else {
      parent.children.erase(parent.children.find(at->level));
    }
    at = &parent;
  }
}

}  // namespace windhover
