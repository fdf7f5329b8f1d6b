#include "net/memory_pipe.hpp"

#include <algorithm>
#include <new>

namespace windhover::net {

std::pair<pipe_end*, pipe_end*> memory_pipe::make(event_loop& loop, std::size_t cut) {
  auto first = std::make_unique<pipe_end>(loop, cut);
  auto second = std::make_unique<pipe_end>(loop, cut);
  pipe_end* const a = first.get();
  pipe_end* const b = second.get();
  a->peer_ = b;
  b->peer_ = a;
  a->set_token(loop.add(std::move(first)));
  b->set_token(loop.add(std::move(second)));
  return {a, b};
}

pipe_end::pipe_end(event_loop& loop, std::size_t cut) noexcept
    : layered_transport(loop, flush_layer::bottom), cut_(std::max<std::size_t>(cut, 1)) {}

std::byte* pipe_end::queue_room(std::size_t size) noexcept {
  if (closing()) return nullptr;
  try {
    base::buffer_ref room = base::buffer_ref::allocate(size);
    std::byte* const at = room->data();
    queue({std::move(room), at, size});
    return closing() ? nullptr : at;
  } catch (const std::bad_alloc&) {
    abort();
    return nullptr;
  }
}

void pipe_end::flush() noexcept {
  if (dead()) return;
  // Without memory the peer aborts both of us.
  const std::span<base::slice> queued = queued_output();
  for (std::size_t i = 0; i < queued.size() && peer_ != nullptr; ++i) peer_->take(std::move(queued[i]));
  if (dead()) return;
  output_handed_down(queued.size());
  if (!closing() || shut_down()) return;
  if (peer_ != nullptr) {
    peer_->arrived_end_ = true;
    peer_->serve_again();
  }
  note_shut_down();
}

void pipe_end::take(base::slice bytes) noexcept {
  try {
    arrived_.push_back(std::move(bytes));
  } catch (const std::bad_alloc&) {
    return abort();
  }
  serve_again();
}

void pipe_end::fetch() noexcept {
  while (!dead() && !reading_paused() && !arrived_.empty()) {
    base::slice& first = arrived_.front();
    const std::size_t count = std::min(cut_, first.size);
    // The slice moves out of the vector's way: an upcall may add to it.
    const base::slice piece{first.owner, first.data, count};
    first.data += count;
    first.size -= count;
    if (first.size == 0) arrived_.erase(arrived_.begin());
    if (!deliver(piece.bytes())) return;
    if (peer_ != nullptr) peer_->output_taken(count);
  }
  if (!dead() && arrived_end_ && arrived_.empty()) deliver_end();
}

void pipe_end::peer_gone(bool reset) noexcept {
  peer_ = nullptr;
  if (!reset) return;
  const failure why{failure::cause::reset, 0};
  die(&why);
}

// An aborted end resets the other one.
void pipe_end::died(const failure* why) noexcept {
  pipe_end* const peer = std::exchange(peer_, nullptr);
  if (peer != nullptr) peer->peer_gone(why != nullptr && why->why != failure::cause::reset);
}

}  // namespace windhover::net
