// What a load is: whom it is put on, how much of it, and how it is measured.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <windhover/event_loop_thread.hpp>

namespace windhover::load {

enum class scenario : std::uint8_t {
  echo,       // every message comes back to the connection that sent it
  broadcast,  // every message comes back to all connections
  idle,       // connections that do nothing
  churn,      // connect, one echo, close, over and over
  storm,      // all connections at once, then all gone at once, over and over
};

struct load_options {
  std::string url = {};              // ws://host:port/path, wss://host:port/path, or ws://unix:/run/app.sock:/path
  std::string authorities = {};      // of wss: a PEM file of whom to trust; empty: whom the system trusts
  bool insecure = false;             // of wss: the server's certificate is not looked at
  bool http2 = false;                // WebSockets over HTTP/2 (RFC 8441); with ws: with prior knowledge
  std::size_t per_connection = 100;  // of HTTP/2: WebSockets that share a connection, if the server allows; 1 or more
  load::scenario scenario = scenario::echo;
  std::size_t connections = 50;  // 1 to 1,000,000, of all threads
  std::size_t least_size = 20;   // bytes of a message's payload, both included; a broadcast's has at least 16
  std::size_t most_size = 20;    // up to 64 MiB
  std::size_t in_flight = 1;     // messages of a connection that are not answered; a broadcast's, in all
  double rate = 0;               // messages a second, of all connections; 0: as many as come back
  std::chrono::milliseconds warm_up{1000};  // before it is measured
  std::chrono::milliseconds duration{10'000};
  std::chrono::milliseconds patience{10'000};  // for connections to open, and for what is still to come at the end
  std::size_t threads = 1;                     // 1 to 256
  io_engine engine = io_engine::automatic;
  bool text = false;      // text messages, otherwise binary ones
  bool compress = false;  // offers permessage-deflate, and compresses where it is agreed
  bool check = false;     // every octet that comes back must be the one sent; of a broadcast, the messages' order
  int process = 0;        // of the server, for what it costs; 0: not known
};

// Throws std::invalid_argument that names the option as the command line does, its value and its range.
void check(const load_options& options);

// "echo".
const char* name_of(scenario which) noexcept;

}  // namespace windhover::load
