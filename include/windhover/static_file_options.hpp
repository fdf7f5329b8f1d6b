// static_file_options: which files a server gives away, and how.
//
//   app.use_static_files({.root = "wwwroot", .cache_control = "public, max-age=3600"});
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace windhover {

// Files are served for GET and HEAD, with ETag, Last-Modified, conditional requests (RFC 9110, section 13) and ranges
// (section 14: one range; a request for several gets the whole file). Never served are files outside of the root,
// whether by ".." or by a link (relative links that stay inside are followed), names that begin with a dot
// ("/.well-known" needs a route of its own), everything that is no regular file, and files whose type is not known. A
// request that names no file that is served goes on to the pipeline.
struct static_file_options {
  // The folder; relative to the current one. It must exist when the server starts, and may be replaced while it runs.
  std::string root = "wwwroot";
  // The path under which the files stand: with "/files", "/files/a.css" is the file "a.css". Empty for all paths.
  std::string request_path = {};
  // What is served for a folder: the first of these that is there. A request without the slash at the end is
  // redirected.
  std::vector<std::string> default_documents = {"default.htm", "default.html", "index.htm", "index.html"};

  struct content_type {
    std::string extension;  // ".data"; compared without regard to ASCII case
    std::string type;       // "application/x-data"; empty: as if the extension were not known
  };
  // In addition to the known extensions, or instead of them.
  std::vector<content_type> content_types = {};
  // Whether files with another extension, or none, are served, as application/octet-stream.
  bool serve_unknown_types = false;
  // The Cache-Control header (RFC 9111, section 5.2); none when empty.
  std::string cache_control = {};
  // How many files of a folder may be open at a time, to be sent to clients that may be slow; those of at most 64 KiB
  // do not count. A request for one more is answered with 503. 0: half of the descriptors that connections leave for
  // everything else, when the limit of connections is `auto`.
  std::size_t max_open_files = 0;
};

}  // namespace windhover
