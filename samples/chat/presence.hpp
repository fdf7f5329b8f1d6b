// Who is in which room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

// Handlers run on several threads, and their sockets may be in the same room: hence the mutex.
class presence {
 public:
  static constexpr std::size_t most_in_a_room = 100;

  // A room as it was after one change. Changes are counted, so that whoever gets two of them knows which one is newer.
  struct snapshot {
    std::set<std::string> names;
    std::uint64_t change = 0;
  };

  struct entrance {
    std::string_view refusal;  // why the door stays shut; empty when it does not
    snapshot now;
  };

  entrance enter(const std::string& room, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = rooms_.find(room);
    if (found != rooms_.end() && found->second.contains(name)) return {"somebody in this room has that name", {}};
    if (found != rooms_.end() && found->second.size() >= most_in_a_room) return {"this room is full", {}};
    std::set<std::string>& names = rooms_[room];
    names.insert(name);
    return {{}, {names, ++changes_}};
  }

  snapshot leave(const std::string& room, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = rooms_.find(room);
    found->second.erase(name);
    snapshot now{found->second, ++changes_};
    if (now.names.empty()) rooms_.erase(found);
    return now;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> rooms_;  // those with somebody in them
  std::uint64_t changes_ = 0;
};
