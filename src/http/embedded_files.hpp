// Static files that are compiled into the program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/file_store.hpp"
#include <windhover/embedded_file.hpp>

namespace windhover::http {

class embedded_files final : public file_store {
 public:
  // All views must outlive this object and every response that it is sent in: they are constants of the program. Throws
  // std::invalid_argument for a path that could not be asked for.
  explicit embedded_files(std::span<const embedded_file> files);

  std::optional<stored_file> open(const std::string& path) const override;
  bool has_folder(const std::string& path) const override;
  bool blocks() const noexcept override { return false; }

 private:
  struct entry {
    std::string_view path;  // below the root
    embedded_file file;
    std::string entity_tag;
  };
  const entry* find(std::string_view path) const noexcept;

  std::vector<entry> entries_;  // sorted by path
};

}  // namespace windhover::http
