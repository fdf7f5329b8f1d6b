// Answers requests for files. What is not for a file goes on to the pipeline, untouched.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/content_types.hpp"
#include "http/embedded_files.hpp"
#include "http/exchange.hpp"
#include "http/file_store.hpp"
#include "http/static_path.hpp"
#include "net/limit.hpp"
#include <windhover/static_file_options.hpp>
#include <windhover/task.hpp>

namespace windhover::http {

// Shared by all loops: nothing in it changes after construction.
class static_files {
 public:
  // Files in the folder that the options name; max_open_files as it is, 0 being any number. Throws std::system_error
  // when there is no such folder, and std::invalid_argument for a request path or an extension that is malformed.
  explicit static_files(const static_file_options& options);
  // Files of the program; the options' root is not used. Every view must outlive this object and all responses.
  explicit static_files(std::span<const embedded_file> files, static_file_options options = {});
  static_files(const static_files&) = delete;
  static_files& operator=(const static_files&) = delete;
  ~static_files() = default;

  // Whether it is worth calling serve: false for other methods than GET and HEAD, for requests that may leave HTTP, and
  // for paths that can name no file. Costs next to nothing, so that those requests need no coroutine here.
  bool may_serve(const exchange& with) const noexcept;

  // True: the response was written, though the client may not have got all of it. False: there is no such file, and the
  // response is as it was. The options' files are read on the worker pool, in pieces that wait for a slow client.
  task<bool> serve(exchange& with) const;

 private:
  // What stands at a path.
  struct found_file {
    stored_file file;
    std::string content_type;
    bool wants_slash;  // it is a folder's default document, and the request named the folder without the slash
  };
  static_files(std::unique_ptr<file_store> files, static_file_options options);

  std::optional<static_path> path_of(const exchange& with) const noexcept;
  std::optional<found_file> look_up(const static_path& path) const;
  std::optional<found_file> open(const std::string& path) const;
  void redirect(exchange& with) const;
  task<> answer(exchange& with, found_file& found) const;
  task<> send(exchange& with, stored_file& file, std::uint64_t first, std::uint64_t length) const;

  static_file_options options_;
  content_types types_;
  std::unique_ptr<file_store> files_;
  std::shared_ptr<net::limit> open_;  // none: any number
};

}  // namespace windhover::http
