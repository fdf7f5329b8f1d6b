// Where static files come from: a folder, or the program itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/preconditions.hpp"

namespace windhover::http {

// An open file of the operating system, closed with its owner.
class file_descriptor {
 public:
  file_descriptor() noexcept = default;
  explicit file_descriptor(int owned) noexcept : value_(owned) {}
  file_descriptor(file_descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~file_descriptor();

  explicit operator bool() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }

 private:
  int value_ = -1;
};

// A file that was found, as it was at that moment.
class stored_file {
 public:
  stored_file(file_descriptor opened, std::uint64_t size, validators of_it) noexcept
      : descriptor_(std::move(opened)), size_(size), validators_(std::move(of_it)) {}
  // The views must outlive the program's last response.
  stored_file(std::string_view content, std::string_view type, validators of_it) noexcept
      : content_(content), content_type_(type), size_(content.size()), validators_(std::move(of_it)) {}

  std::uint64_t size() const noexcept { return size_; }
  // Where it is known to whoever stored the file; else empty.
  std::string_view content_type() const noexcept { return content_type_; }
  const validators& state() const noexcept { return validators_; }
  // Bytes from `offset` on; 0 behind the end, which may come earlier than size() said. Blocks when the file does.
  // Throws std::system_error.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  // Nothing more is read.
  void close() noexcept { descriptor_ = file_descriptor(); }

 private:
  file_descriptor descriptor_;
  std::string_view content_;
  std::string_view content_type_;
  std::uint64_t size_;
  validators validators_;
};

class file_store {
 public:
  virtual ~file_store() = default;

  // Paths are those of static_path: below the root, checked, without slashes at the ends.
  // The regular file at `path`. Nothing when there is none, or none that may be read. Throws std::system_error when the
  // machine is in trouble: out of descriptors, out of memory, broken disk.
  virtual std::optional<stored_file> open(const std::string& path) const = 0;
  virtual bool has_folder(const std::string& path) const = 0;
  // Whether these functions, and stored_file::read, wait for a disk, so that they belong on a thread of the worker
  // pool. They may be called on any thread.
  virtual bool blocks() const noexcept = 0;
};

}  // namespace windhover::http
