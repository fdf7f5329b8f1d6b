// What an engine has found out about its objects and has not delivered yet.
#pragma once

#include <cstddef>
#include <vector>

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

// Makes room in all of them for as many entries as there are slots, twice as many as before at a time. Nothing has
// changed when it throws std::bad_alloc: the room is there before the slot is.
class pending_room {
 public:
  template <class Slots, class... Lists>
  void make(std::size_t slots, Slots& table, Lists&... lists) {
    if (slots <= slots_) return;
    const std::size_t room = slots > 2 * slots_ ? slots : 2 * slots_;
    (lists.reserve(room), ...);
    table.reserve(room);
    slots_ = room;
  }

 private:
  std::size_t slots_ = 0;
};

}  // namespace windhover::net
