// The list of header fields, whose records lie packed in one block, against a vector of strings. Names and values come
// from the input and, as they may, from the list itself. Input: operations, each an octet that names it and its texts.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "input.hpp"
#include <windhover/headers.hpp>

namespace windhover::fuzz {

namespace {

using model = std::vector<std::pair<std::string, std::string>>;

// Names of which some are the same but for their case, and what no name may be.
constexpr std::array<std::string_view, 8> names{"Host", "host", "HOST", "X", "Set-Cookie", "a-rather-long-name",
                                                "",     "a b"};

bool is_good(std::string_view name, std::string_view value) {
  return base::is_token(name) && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool same(std::string_view one, std::string_view other) { return base::equals_ignoring_case(one, other); }

std::size_t erase(model& expected, std::string_view name) {
  return std::erase_if(expected, [name](const auto& each) { return same(each.first, name); });
}

void compare(const headers& fields, const model& expected) {
  require(fields.size() == expected.size() && fields.empty() == expected.empty(), "the size is right");
  auto each = fields.begin();
  for (const auto& [name, value] : expected) {
    require((*each).name == name && (*each).value == value, "the fields are right, in their order");
    ++each;
  }
  require(each == fields.end(), "and there are no others");
}

void look_up(const headers& fields, const model& expected, std::string_view name) {
  std::size_t count = 0;
  std::string joined;
  for (const auto& [each, value] : expected) {
    if (!same(each, name)) continue;
    if (count == 0) require(fields.find(name) == value, "the first field of a name is found");
    joined += (count == 0 ? "" : ", ") + value;
    ++count;
  }
  require(fields.count(name) == count && fields.contains(name) == (count != 0), "fields are counted");
  require(fields.joined(name) == joined, "and joined");
}

class trial {
 public:
  explicit trial(input& in) : in_(in) {}

  void step() {
    const std::uint8_t operation = in_.octet();
    switch (operation & 7) {
      case 0:
      case 1:
        return change(operation, &headers::add, false);
      case 2:
        return change(operation, &headers::set, true);
      case 3:
        return erase_one(operation);
      case 4:
        fields_.shrink();
        return require(fields_.capacity() == before_.capacity(), "a shrunk list is as small as a copy");
      case 5:
        return fields_.reserve(in_.octet(), in_.octet());
      case 6:
        return copy_or_move(operation);
      default:
        return look_up(fields_, expected_, name(operation));
    }
  }

  void check() {
    compare(fields_, expected_);
    before_ = fields_;
    compare(before_, expected_);
  }

 private:
  // Every other time views of the list itself, where it has a field.
  headers::field from_list(std::uint8_t operation) const {
    auto each = fields_.begin();
    for (std::size_t left = (operation >> 4) % fields_.size(); left > 0; --left) ++each;
    return *each;
  }
  bool takes_from_list(std::uint8_t operation) const { return (operation & 8) != 0 && !fields_.empty(); }
  std::string_view name(std::uint8_t operation) const {
    return takes_from_list(operation) ? from_list(operation).name : names[operation >> 5];
  }

  void change(std::uint8_t operation, void (headers::*how)(std::string_view, std::string_view), bool replaces) {
    const std::string_view changed = name(operation);
    const std::string_view value = takes_from_list(operation) ? from_list(operation).value : in_.line();
    const bool good = is_good(changed, value);
    model after = expected_;
    if (good) {
      if (replaces) erase(after, changed);
      after.emplace_back(changed, value);
    }
    bool refused = false;
    try {
      (fields_.*how)(changed, value);
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    require(refused != good, "what is no field is refused, and nothing else");
    expected_ = std::move(after);
  }

  void erase_one(std::uint8_t operation) {
    const std::string_view erased = name(operation);
    model after = expected_;
    const std::size_t count = erase(after, erased);
    require(fields_.erase(erased) == count, "all fields of the name are erased");
    expected_ = std::move(after);
  }

  void copy_or_move(std::uint8_t operation) {
    if ((operation & 16) != 0) {
      headers moved(std::move(fields_));
      compare(moved, expected_);
      fields_ = std::move(moved);
    } else if ((operation & 32) != 0) {
      fields_ = before_;
    } else {
      fields_.clear();
      expected_.clear();
      require(fields_.capacity() == 0, "an empty list has no memory");
    }
  }

  input& in_;
  headers fields_;
  headers before_;
  model expected_;
};

}  // namespace

void try_input(input in) {
  constexpr int most = 200;
  trial tried(in);
  for (int step = 0; step < most && !in.empty(); ++step) {
    tried.step();
    tried.check();
  }
}

}  // namespace windhover::fuzz
