// A scripted client that speaks HTTP/1.1: requests one after the other or several at once, answers checked byte by
// byte.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "client.hpp"
#include "testing/response_reader.hpp"

namespace windhover::simulation {

class http_client final : public client {
 public:
  http_client(net::simulated_network& network, const endpoint& server, std::uint64_t seed, net::duration begins,
              client_notes& notes);

 private:
  struct asked {
    bool head;
    std::string body;  // that the answer must have
  };

  void begin() override {}
  std::optional<net::duration> step() override;
  void read(std::string& arrived) override;
  void over(bool failed) override;
  void ask();
  void complain(std::string_view about);

  client_notes& notes_;
  testing::response_reader answers_;
  std::deque<asked> asked_;
  std::size_t requests_left_;
};

}  // namespace windhover::simulation
