// Randomness that is handed in. Whoever needs random bytes takes a random_source&, so that a test or a simulation can
// say which bytes come.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace windhover::base {

class random_source {
 public:
  virtual ~random_source() = default;

  // Fills all of `bytes`.
  virtual void fill(std::span<std::byte> bytes) noexcept = 0;

 protected:
  random_source() = default;
  random_source(const random_source&) = default;
  random_source& operator=(const random_source&) = default;
};

// The kernel's generator: unpredictable, as masking keys (RFC 6455, section 10.3) and tokens must be. Small requests
// are served from a block that is fetched ahead, because a masking key is wanted for every frame of a client. One
// thread at a time; a process that forks must not use its parent's source.
class system_random_source final : public random_source {
 public:
  system_random_source() = default;
  system_random_source(const system_random_source&) = delete;
  system_random_source& operator=(const system_random_source&) = delete;

  void fill(std::span<std::byte> bytes) noexcept override;

 private:
  std::array<std::byte, 256> block_{};
  std::size_t left_ = 0;  // how many bytes at the end of block_ have not been given to anybody
};

}  // namespace windhover::base
