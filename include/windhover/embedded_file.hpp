// embedded_file: a file that is compiled into the program.
#pragma once

#include <string_view>

namespace windhover {

// The views must live as long as the application: they are constants of the program.
struct embedded_file {
  std::string_view path;          // of the request: "/index.html", which serves "/" too
  std::string_view content_type;  // as it is sent; when empty, by the extension of the path
  std::string_view content;
};

}  // namespace windhover
