// The list of header fields: records behind each other in one block of memory. It is kept that simple because every
// idle WebSocket keeps the headers of its opening request; one exact block is the least they can cost.
#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"
#include <windhover/headers.hpp>

namespace windhover {
namespace {

constexpr std::size_t smallest_block = 256;
constexpr std::size_t largest_block = std::numeric_limits<std::uint32_t>::max();

struct record_sizes {
  std::uint32_t name;
  std::uint32_t value;
};

record_sizes sizes_of(const char* record) noexcept {
  record_sizes sizes;
  std::memcpy(&sizes, record, sizeof sizes);
  return sizes;
}

headers::field field_of(const char* record) noexcept {
  const record_sizes sizes = sizes_of(record);
  const char* text = record + sizeof sizes;
  return {std::string_view(text, sizes.name), std::string_view(text + sizes.name, sizes.value)};
}

std::size_t record_size(const headers::field& field) noexcept {
  return sizeof(record_sizes) + field.name.size() + field.value.size();
}

// The name for an error message; what is not printable in it must not reach a log.
std::string printable(std::string_view name) {
  std::string text(name.substr(0, 64));
  std::replace_if(
      text.begin(), text.end(), [](char each) { return each < ' ' || each > '~'; }, '?');
  return text;
}

void check(const headers::field& field) {
  if (!base::is_token(field.name))
    throw std::invalid_argument("header name '" + printable(field.name) + "' is not a token");
  constexpr std::string_view forbidden("\r\n\0", 3);
  for (const char each : forbidden)
    if (field.value.find(each) != std::string_view::npos)
      throw std::invalid_argument("header '" + printable(field.name) + "': the value contains CR, LF or NUL");
}

}  // namespace

headers::field headers::iterator::operator*() const noexcept { return field_of(record_); }

headers::iterator& headers::iterator::operator++() noexcept {
  record_ += record_size(field_of(record_));
  return *this;
}

headers::iterator headers::iterator::operator++(int) noexcept {
  const iterator before = *this;
  ++*this;
  return before;
}

headers::headers(std::initializer_list<field> fields) {
  for (const field& each : fields) add(each.name, each.value);
}

headers::headers(const headers& other) : count_(other.count_), used_(other.used_), capacity_(other.used_) {
  if (used_ == 0) return;
  memory_ = std::make_unique_for_overwrite<char[]>(used_);
  std::memcpy(memory_.get(), other.memory_.get(), used_);
}

headers::headers(headers&& other) noexcept
    : memory_(std::move(other.memory_)),
      count_(std::exchange(other.count_, 0)),
      used_(std::exchange(other.used_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

headers& headers::operator=(const headers& other) {
  if (this != &other) *this = headers(other);
  return *this;
}

headers& headers::operator=(headers&& other) noexcept {
  memory_ = std::move(other.memory_);
  count_ = std::exchange(other.count_, 0);
  used_ = std::exchange(other.used_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

bool headers::same_name(std::string_view one, std::string_view other) noexcept {
  return base::equals_ignoring_case(one, other);
}

std::optional<std::string_view> headers::find(std::string_view name) const noexcept {
  for (const field each : *this)
    if (same_name(each.name, name)) return each.value;
  return std::nullopt;
}

std::size_t headers::count(std::string_view name) const noexcept {
  std::size_t result = 0;
  for_each(name, [&result](std::string_view) { ++result; });
  return result;
}

std::string headers::joined(std::string_view name) const {
  std::string result;
  bool first = true;
  for_each(name, [&](std::string_view value) {
    if (!std::exchange(first, false)) result += ", ";
    result += value;
  });
  return result;
}

void headers::add(std::string_view name, std::string_view value) {
  const field added{name, value};
  check(added);
  append(added);
}

void headers::set(std::string_view name, std::string_view value) {
  add(name, value);
  // The new field is the last one, and stays in place until the fields before it have been looked at; its copy of
  // the name is used because `name` may have been a view of the memory that add() replaced.
  const char* last = memory_.get();
  for (iterator each = begin(); each != end(); ++each) last = each.record_;
  const std::string_view added = field_of(last).name;
  erase_where([&](const char* record) { return record != last && same_name(field_of(record).name, added); });
}

std::size_t headers::erase(std::string_view name) {
  if (!contains(name)) return 0;
  // `name` may be a view of this list, whose records move while they are compared with it.
  const std::string kept(name);
  return erase_where([&](const char* record) { return same_name(field_of(record).name, kept); });
}

void headers::clear() noexcept { *this = headers(); }

void headers::reserve(std::size_t fields, std::size_t text) {
  if (fields > largest_block / sizeof(record_sizes) || text > largest_block)
    throw std::length_error("headers: more than 4 GiB");
  const std::size_t needed = used_ + fields * sizeof(record_sizes) + text;
  if (needed <= capacity_) return;
  if (needed > largest_block) throw std::length_error("headers: more than 4 GiB");
  auto larger = std::make_unique_for_overwrite<char[]>(needed);
  if (used_ != 0) std::memcpy(larger.get(), memory_.get(), used_);
  memory_ = std::move(larger);
  capacity_ = static_cast<std::uint32_t>(needed);
}

void headers::shrink() {
  if (capacity_ != used_) *this = headers(*this);
}

void headers::append(const field& added) {
  const std::size_t size = record_size(added);
  // The old block lives until the end, as `added` may point into it.
  std::unique_ptr<char[]> old;
  if (size > capacity_ - used_) {
    const std::size_t needed = used_ + size;
    if (size > largest_block || needed > largest_block) throw std::length_error("headers: more than 4 GiB");
    const std::size_t grown = std::min(std::max({needed, capacity_ * std::size_t{2}, smallest_block}), largest_block);
    auto larger = std::make_unique_for_overwrite<char[]>(grown);
    if (used_ != 0) std::memcpy(larger.get(), memory_.get(), used_);
    old = std::exchange(memory_, std::move(larger));
    capacity_ = static_cast<std::uint32_t>(grown);
  }
  const record_sizes sizes{static_cast<std::uint32_t>(added.name.size()),
                           static_cast<std::uint32_t>(added.value.size())};
  char* record = memory_.get() + used_;
  std::memcpy(record, &sizes, sizeof sizes);
  record = std::copy(added.name.begin(), added.name.end(), record + sizeof sizes);
  std::copy(added.value.begin(), added.value.end(), record);
  used_ += static_cast<std::uint32_t>(size);
  ++count_;
}

// Removes the records for which the predicate holds and closes the gaps. The predicate sees each record before
// anything is written to it or to what follows it.
template <typename Predicate>
std::size_t headers::erase_where(Predicate&& predicate) noexcept {
  char* const begin = memory_.get();
  char* kept = begin;
  std::size_t erased = 0;
  for (char *record = begin, *const end = begin + used_; record != end;) {
    const std::size_t size = record_size(field_of(record));
    if (predicate(record)) {
      ++erased;
    } else {
      if (kept != record) std::memmove(kept, record, size);
      kept += size;
    }
    record += size;
  }
  used_ = static_cast<std::uint32_t>(kept - begin);
  count_ -= static_cast<std::uint32_t>(erased);
  return erased;
}

}  // namespace windhover
