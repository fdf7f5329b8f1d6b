// What an engine has found out about its objects and has not delivered yet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/memory_pool.hpp"

namespace windhover::net {

// At most one entry for each object: whoever makes room for as many as there are objects adds them without memory.
// Adding and taking allocate nothing then.
template <class T>
class pending_events {
 public:
  // Room for so many entries. Throws std::bad_alloc.
  void reserve(std::size_t entries) {
    added_.reserve(entries);
    taken_.reserve(entries);
  }
  void add(const T& entry) { added_.push_back(entry); }
  bool empty() const noexcept { return added_.empty(); }
  // Calls `deliver` with each entry. Those that are added meanwhile wait for the next time, and room may be made.
  template <class Deliver>
  void take_all(Deliver&& deliver) {
    if (added_.empty()) return;
    added_.swap(taken_);
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const T entry = taken_[i];
      deliver(entry);
    }
    taken_.clear();
  }

 private:
  std::vector<T> added_;
  std::vector<T> taken_;
};

// Gives a table so many slots, and makes room in the lists for as many entries: for many at once, as pages that nobody
// has touched cost nothing, and then for twice as many as before. When it throws std::bad_alloc nothing has changed:
// the room is there before the slot is.
class pending_room {
 public:
  template <class Slots, class... Lists>
  void make(std::size_t slots, Slots& table, Lists&... lists) {
    if (slots > room_) {
      const std::size_t room = std::max({slots, 2 * room_, least});
      (lists.reserve(room), ...);
      table.reserve(room);
      room_ = room;
    }
    if (table.size() < slots) table.resize(slots);
  }

 private:
  // Under AddressSanitizer few, so that slots move and what refers to one that has moved is seen.
  static constexpr std::size_t least = base::pool::passes_through ? 1 : 16384;
  std::size_t room_ = 0;
};

}  // namespace windhover::net
