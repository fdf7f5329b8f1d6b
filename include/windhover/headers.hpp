// The fields of an HTTP message: an ordered list of names and values (RFC 9110, section 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace windhover {

// The header fields of a request or response, in the order in which they came or were added.
//
//     windhover::headers headers;
//     headers.add("Content-Type", "text/plain");
//     if (const auto type = headers.find("content-type")) use(*type);
//
// Names are compared without regard to ASCII case and may occur more than once; values are opaque bytes.
//
// Errors: whatever stores a field throws std::invalid_argument, naming the field, when the name is no token
// (RFC 9110, section 5.1) or the value contains CR, LF or NUL (section 5.5), because such a field could smuggle
// another one into the message; and std::length_error when the list would pass 4 GiB. The list is then unchanged.
// Lifetime: a view handed out is valid until the list is next modified, moved from or destroyed. The views given to
// add(), set() and erase() may be views of the same list.
// Thread: an ordinary value; one thread at a time.
class headers {
 public:
  struct field {
    std::string_view name;
    std::string_view value;
  };

  // Walks the fields in order. Dereferencing gives a field by value.
  class iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = field;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = field;

    iterator() noexcept = default;
    field operator*() const noexcept;
    iterator& operator++() noexcept;
    iterator operator++(int) noexcept;
    bool operator==(const iterator&) const noexcept = default;

   private:
    friend class headers;
    explicit iterator(const char* record) noexcept : record_(record) {}

    const char* record_ = nullptr;
  };

  headers() noexcept = default;
  headers(std::initializer_list<field> fields);
  headers(const headers& other);
  headers(headers&& other) noexcept;
  headers& operator=(const headers& other);
  headers& operator=(headers&& other) noexcept;
  ~headers() = default;

  // The number of fields.
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  iterator begin() const noexcept { return iterator(memory_.get()); }
  iterator end() const noexcept { return iterator(memory_.get() + used_); }

  // The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  // The number of fields of that name.
  std::size_t count(std::string_view name) const noexcept;
  // Calls function(std::string_view value) for each field of that name, in order. The function must not modify the
  // list.
  template <typename Function>
  void for_each(std::string_view name, Function&& function) const {
    for (const field each : *this)
      if (same_name(each.name, name)) function(each.value);
  }
  // All values of that name with ", " between them, which means the same for every field that is a list (RFC 9110,
  // section 5.3; Set-Cookie is the one well-known field that is none). Empty when there is no such field.
  std::string joined(std::string_view name) const;

  // Adds a field behind all others, whether or not there are fields of that name.
  void add(std::string_view name, std::string_view value);
  // Makes this the only field of that name. It stands behind all others afterwards.
  void set(std::string_view name, std::string_view value);
  // Removes all fields of that name and returns how many there were.
  std::size_t erase(std::string_view name);
  // Removes all fields and gives the memory back.
  void clear() noexcept;

  // Makes room for `fields` further fields whose names and values have `text` bytes together.
  void reserve(std::size_t fields, std::size_t text);
  // Moves everything into one heap block of exactly the needed size (none when the list is empty).
  void shrink();
  // The size in bytes of the one heap block that holds the list.
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  static bool same_name(std::string_view one, std::string_view other) noexcept;
  void append(const field& added);
  template <typename Predicate>
  std::size_t erase_where(Predicate&& predicate) noexcept;

  // One record behind the other: the two sizes as std::uint32_t, the name, the value. Nothing here needs an index,
  // because a list of a dozen fields is searched fastest from its beginning.
  std::unique_ptr<char[]> memory_;
  std::uint32_t count_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace windhover
