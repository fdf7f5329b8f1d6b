// The scenarios whose traffic is connecting: churn, where connections come and go one by one, and storm, where all come
// and go at once. And idle, where nothing goes on.
#pragma once

#include <stop_token>

#include "load/worker.hpp"

namespace windhover::load {

class idle_worker final : public worker {
 public:
  using worker::worker;
  task<> run(std::stop_token stop) override;
};

class churn_worker final : public worker {
 public:
  using worker::worker;
  task<> run(std::stop_token stop) override;

 private:
  task<> come_and_go(std::stop_token stop);
  task<> come_and_go_once(std::stop_token late);
};

class storm_worker final : public worker {
 public:
  using worker::worker;
  task<> run(std::stop_token stop) override;

 private:
  task<> open_one(std::stop_token stop);
  task<> come_and_go(std::stop_token stop);
  void on_ended(load_connection& which, const std::string& why) noexcept override;

  bool going_ = false;  // they are told to go
};

}  // namespace windhover::load
