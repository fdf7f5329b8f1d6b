// What becomes of an exception that a request's handler has let out: every version of HTTP answers with the same.
#pragma once

#include <exception>
#include <string>

namespace windhover::http {

class exchange;

// The client has gone: there is nobody to tell. nginx's number for it, seen only in logs.
inline constexpr int client_gone = 499;

struct request_failure {
  int status = 500;
  std::string text;  // for the client
  std::string what;  // for the log; empty when nothing is wrong here
};

// Must not be null.
request_failure describe(const std::exception_ptr& failure);

// Makes the failure the response. False when the client cannot be told any more: the head has gone, or the client.
bool answer(exchange& with, const request_failure& failure);

}  // namespace windhover::http
