// Static files in a folder of the disk. The kernel is asked to stay below the folder, so that no race between a check
// and its use can lead outside.
#pragma once

#include <optional>
#include <string>

#include "http/file_store.hpp"

namespace windhover::http {

class folder_files final : public file_store {
 public:
  // beneath: openat2 resolves the whole path and refuses what leads out, so that links inside work. step_by_step: each
  // segment is opened by itself and no link is followed, for kernels and containers without openat2.
  enum class resolution { beneath, step_by_step };

  // Throws std::system_error when there is no such folder.
  explicit folder_files(const std::string& root);
  folder_files(const std::string& root, resolution how);

  std::optional<stored_file> open(const std::string& path) const override;
  bool has_folder(const std::string& path) const override;
  bool blocks() const noexcept override { return true; }

 private:
  file_descriptor resolve(const std::string& path, int flags) const;

  std::string root_;  // absolute, and opened anew for each file: a folder that is replaced is found again
  resolution how_;
};

}  // namespace windhover::http
