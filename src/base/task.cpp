#include <stdexcept>

#include <windhover/task.hpp>

namespace windhover {

void throw_empty_task() {
  throw std::logic_error(
      "the task is empty: it was default constructed or moved from; await, spawn or return the task that a coroutine "
      "gave, and each of them once");
}

}  // namespace windhover
