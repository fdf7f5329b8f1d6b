// The messages of a load, made before it begins: frames as a client sends them, masked, one behind the other in one
// buffer, so that sending several of them is one slice.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.hpp"
#include "base/random.hpp"
#include "load/load_options.hpp"

namespace windhover::load {

class message_pool {
 public:
  // Different messages of sizes between those of the options, with masks of their own. The same random source gives the
  // same messages.
  message_pool(const load_options& options, base::random_source& random);

  std::size_t count() const noexcept { return payloads_.size(); }
  // What the frame says, before compression. `index` may be beyond the last: it goes around.
  std::string_view payload(std::size_t index) const noexcept { return payloads_[index % payloads_.size()]; }
  // The frames from `index` on: `most` at the most, and as many as lie together.
  struct run {
    base::slice frames;
    std::size_t count;
  };
  run frames(std::size_t index, std::size_t most, bool compressed) const noexcept;

 private:
  // Where each frame begins in a buffer, and where the last one ends.
  struct laid_out {
    base::buffer_ref buffer;
    std::vector<std::size_t> begins;
  };
  laid_out lay_out(const std::vector<std::string>& contents, bool text, bool rsv1, base::random_source& random) const;

  std::vector<std::string> payloads_;
  laid_out plain_;
  laid_out compressed_;
};

}  // namespace windhover::load
