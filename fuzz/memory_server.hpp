// A server's connection and its client on a memory pipe, in virtual time: a whole conversation takes no time, is the
// same each time, and must come to its end by itself.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/server_connection.hpp"
#include "http/server_options.hpp"
#include "input.hpp"
#include "net/event_loop.hpp"
#include "net/memory_pipe.hpp"
#include "pieces.hpp"
#include "support/virtual_engine.hpp"
#include <windhover/logger.hpp>

namespace windhover::fuzz {

// How the client behaves. Zeros are the plain client: sends everything at once, reads everything, and leaves the end of
// the connection to the server.
struct client_manners {
  std::uint8_t pipe_cut = 0;   // how many bytes an end of the pipe gets at most at a time
  std::uint8_t piece_cut = 0;  // how what is sent is cut
  bool ends = false;           // ends its stream behind the last byte
  bool waits = false;          // lets time pass between pieces
  bool hesitates = false;      // reads nothing until it has sent everything
  bool never_reads = false;
  std::uint8_t resets_after = 0;  // so many pieces; 0: never

  // Whether everything that is sent is served, and everything served arrives.
  bool are_plain() const { return !ends && !waits && !never_reads && resets_after == 0; }

  static client_manners take(input& in) {
    client_manners manners;
    const std::uint8_t options = in.octet();
    manners.ends = (options & 1) != 0;
    manners.waits = (options & 2) != 0;
    manners.hesitates = (options & 4) != 0;
    manners.never_reads = (options & 8) != 0;
    manners.resets_after = options >> 4;
    manners.pipe_cut = in.octet();
    manners.piece_cut = in.octet();
    return manners;
  }
};

class memory_server {
 public:
  explicit memory_server(http::request_handler handler)
      : loop_(std::make_unique<test::virtual_engine>(), {.log = &log_}) {
    context.handler = std::move(handler);
    context.options.log = &log_;
  }

  http::server_context context;
  http_protocols spoken = http_protocols::http1;
  std::string received;    // by the client
  bool was_reset = false;  // the client saw the connection fail, or made it

  // Lets the client send the stream, and runs until nothing is left of the connection.
  void converse(std::span<const std::byte> stream, client_manners manners) {
    manners_ = manners;
    reads_ = !manners.hesitates && !manners.never_reads;
    const std::size_t cut = manners.pipe_cut == 0 ? std::numeric_limits<std::size_t>::max() : manners.pipe_cut;
    const auto [near, far] = net::memory_pipe::make(loop_, cut);
    net::memory_pipe::set_driver(*near, http::make_server_connection(*near, context, spoken));
    net::memory_pipe::set_driver(*far, std::make_unique<client>(*this));
    client_end_ = far;
    send(stream);
    if (manners.ends && client_end_ != nullptr) client_end_->close();
    if (manners.hesitates && !manners.never_reads && client_end_ != nullptr) {
      reads_ = true;
      client_end_->resume_reading();
    }
    run_until_gone();
  }

 private:
  // Reads what it is told, in case that is gone.
  class attentive_logger final : public logger {
   public:
    void write(log_level, std::string_view category, std::string_view text) noexcept override {
      last_ = std::string(category).append(text);
    }
    bool enabled(log_level) const noexcept override { return true; }

   private:
    std::string last_;
  };

  class client final : public net::driver {
   public:
    explicit client(memory_server& of) noexcept : of_(of) {}
    ~client() override { of_.client_end_ = nullptr; }
    std::size_t on_bytes(std::span<const std::byte> bytes) noexcept override {
      if (!of_.reads_) return 0;
      of_.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return bytes.size();
    }
    void on_writable() noexcept override {}
    void on_end() noexcept override { of_.client_end_->close(); }
    void on_failure(const net::failure&) noexcept override { of_.was_reset = true; }
    bool finished() const noexcept override { return true; }
    void drain() noexcept override {}
    std::string describe() const override { return "the client"; }

   private:
    memory_server& of_;
  };

  void send(std::span<const std::byte> stream) {
    std::size_t pieces = 0;
    for_each_piece(stream, manners_.piece_cut, [&](std::span<const std::byte> piece) {
      if (client_end_ == nullptr) return false;
      client_end_->queue_copy(piece);
      ++pieces;
      if (pieces == manners_.resets_after) {
        was_reset = true;
        client_end_->abort();
        return false;
      }
      turn(manners_.waits);
      return client_end_ != nullptr;
    });
    if (manners_.resets_after > pieces && client_end_ != nullptr) {
      was_reset = true;
      client_end_->abort();
    }
  }

  std::size_t ends_left() const { return loop_.describe_connections(2).size(); }

  void turn(bool may_wait) {
    constexpr int most_turns = 200'000;
    require(++turns_ < most_turns, "a conversation does not go on for ever");
    loop_.run_once(may_wait);
  }

  // The engine throws when something is left that nothing will end. What a client has not read may lie there for ever;
  // it is the server's end that must go.
  void run_until_gone() {
    while (ends_left() > (client_end_ == nullptr ? 0U : 1U)) turn(true);
    if (manners_.never_reads && client_end_ != nullptr) client_end_->abort();
    while (ends_left() > 0) turn(true);
    require(loop_.inbound().used == 0, "nothing is kept for a connection that has gone");
    require(loop_.now() - net::time_point() < std::chrono::hours(24), "everything ends within a day");
  }

  attentive_logger log_;
  client_manners manners_;
  net::pipe_end* client_end_ = nullptr;  // until the loop has destroyed it
  bool reads_ = true;
  int turns_ = 0;
  net::event_loop loop_;
};

}  // namespace windhover::fuzz
