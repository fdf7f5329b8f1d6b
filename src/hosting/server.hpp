// The running server: event loops, each with its thread and its listeners, and the order in which they stop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hosting/loop_server.hpp"
#include "hosting/served_endpoints.hpp"
#include "hosting/settings.hpp"
#include "http/exchange.hpp"
#include "net/event_loop.hpp"
#include "net/listener.hpp"
#include "net/mailbox.hpp"
#include "net/worker_pool.hpp"
#include <windhover/logger.hpp>

namespace windhover::hosting {

class server {
 public:
  // What is handed in by reference outlives it.
  server(const settings& from, const std::vector<served_endpoint>& endpoints, logger& log, counter_board& counters,
         http::request_handler handler);
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server();

  // Listens on every URL. Throws std::runtime_error, with the URL and the reason in one line.
  void listen();
  // Starts the threads; listens, unless that was done before. Throws as above.
  void start();
  // "http://127.0.0.1:40123", one for each address.
  const std::vector<std::string>& urls() const noexcept { return urls_; }

  // Accepts no more. Returns when every loop has closed its listeners, or one of them is too busy to do so soon.
  void stop_listening();
  // Asks every connection to end; aborts what is left after the shutdown timeout. False when handlers were still
  // running a while after that: they, the loops they live on and the worker pool are left behind, and what they refer
  // to must stay.
  bool stop();

 private:
  struct loop_thread;

  void listen_on(const served_endpoint& endpoint);
  void listen_on_ipv6_loopback(const served_endpoint& endpoint, const std::string& shown);
  std::uint16_t listen_on(const net::address& at, const served_endpoint& endpoint);
  void start_threads();
  void post_to_all(net::mailbox::prepared loop_thread::*order) noexcept;
  bool wait_until_all_are(std::size_t& counted, std::chrono::milliseconds time);
  void count(std::size_t& counted);
  void name_those_that_stay();
  void leave_behind();
  static void run(loop_thread& self) noexcept;

  const settings& settings_;
  const std::vector<served_endpoint>& endpoints_;
  logger& log_;
  counter_board& counters_;
  server_limits limits_;
  http::request_handler handler_;
  std::unique_ptr<net::worker_pool> workers_;
  std::vector<std::unique_ptr<loop_thread>> threads_;
  std::vector<std::string> urls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t deaf_ = 0;   // loops without listeners
  std::size_t ended_ = 0;  // loops that nothing runs on
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace windhover::hosting
