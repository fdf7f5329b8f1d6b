// Shapes of co_await that every supported compiler gets right, the baseline g++ 12.2 included: the ways to write what
// bad_shapes_test.cpp writes wrongly. `./dev lint` has no objection to any of them.
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>

#include "compilers/shapes.hpp"

namespace windhover::compilers {
namespace {

using good_shape = shape;

struct plain_options {
  std::string_view name = {};
  std::span<const int> numbers = {};
  int number = 1;
};

struct options_with_a_constructor {
  explicit options_with_a_constructor(tracked given) : object(std::move(given)) {}
  tracked object;
};

struct owning_options {
  tracked object;
  int number = 1;
};

TEST_F(good_shape, object_as_argument_by_value) {
  const auto use = [this](tracked one, tracked other) -> task<int> {
    co_await wait();
    co_return one.value() + other.value();
  };
  const auto work = [&]() -> task<int> { co_return co_await use(tracked(book_, 3), tracked(book_, 4)); };
  expect(7, work());
}

TEST_F(good_shape, object_as_argument_by_reference) {
  const auto use = [this](const tracked& one, const std::string& text) -> task<int> {
    co_await wait();
    co_return one.value() + static_cast<int>(text.size());
  };
  const std::string text = "a text that is longer than the object";
  const auto work = [&]() -> task<int> { co_return co_await use(tracked(book_, 3), "<" + text + ">"); };
  expect(42, work());
}

TEST_F(good_shape, braced_options_without_destructors) {
  const auto use = [this](plain_options options) -> task<int> {
    co_await wait();
    co_return static_cast<int>(options.name.size()) + options.number;
  };
  const auto work = [&]() -> task<int> { co_return co_await use({.name = "abc", .number = 4}); };
  expect(7, work());
}

TEST_F(good_shape, options_with_destructors_named_before) {
  const auto use = [this](owning_options options) -> task<int> {
    co_await wait();
    co_return options.object.value() + options.number;
  };
  const auto work = [&]() -> task<int> {
    owning_options options{.object = tracked(book_, 3), .number = 4};
    co_return co_await use(std::move(options));
  };
  expect(7, work());
}

TEST_F(good_shape, options_with_destructors_from_a_function) {
  const auto use = [this](owning_options options) -> task<int> {
    co_await wait();
    co_return options.object.value() + options.number;
  };
  const auto make = [this](int value) { return owning_options{.object = tracked(book_, value), .number = 4}; };
  const auto work = [&]() -> task<int> { co_return co_await use(make(3)); };
  expect(7, work());
}

TEST_F(good_shape, options_with_a_constructor) {
  const auto use = [this](options_with_a_constructor options) -> task<int> {
    co_await wait();
    co_return options.object.value();
  };
  const auto work = [&]() -> task<int> { co_return co_await use(options_with_a_constructor(tracked(book_, 3))); };
  expect(3, work());
}

TEST_F(good_shape, elements_named_before) {
  const auto use = [this](std::span<const std::string> texts) -> task<int> {
    co_await wait();
    co_return static_cast<int>(texts[0].size() + texts[1].size());
  };
  const auto work = [&]() -> task<int> {
    const std::array<std::string, 2> texts{"a text that is longer than the object", "another"};
    co_return co_await use(texts);
  };
  expect(44, work());
}

TEST_F(good_shape, choice_named_before) {
  const auto work = [&]() -> task<int> {
    const tracked chosen = is_true_ ? tracked(book_, 3) : tracked(book_, 4);
    co_return chosen.value() + co_await number(1);
  };
  expect(4, work());
}

TEST_F(good_shape, lambda_named_before) {
  const auto use = [this](auto function) -> task<int> {
    co_await wait();
    co_return function();
  };
  const auto work = [&]() -> task<int> {
    const auto function = [object = tracked(book_, 3)] { return object.value(); };
    co_return co_await use(function);
  };
  expect(3, work());
}

TEST_F(good_shape, lambda_that_captures_by_reference) {
  const auto use = [this](std::function<int()> function) -> task<int> {
    co_await wait();
    co_return function();
  };
  const auto work = [&]() -> task<int> {
    const tracked object(book_, 3);
    co_return co_await use([&object] { return object.value(); });
  };
  expect(3, work());
}

TEST_F(good_shape, coroutine_lambda_named_before_it_is_called) {
  const auto work = [&]() -> task<int> {
    const auto inner = [this, object = tracked(book_, 3)]() -> task<int> {
      co_await wait();
      co_return object.value();
    };
    co_return co_await inner();
  };
  expect(3, work());
}

TEST_F(good_shape, result_used_at_once) {
  const auto sum = [](tracked one, tracked other) { return one.value() + other.value(); };
  const auto work = [&]() -> task<int> {
    co_return sum(co_await object(3), co_await object(4)) + (co_await object(5)).value();
  };
  expect(12, work());
}

TEST_F(good_shape, condition_that_declares_what_it_awaits) {
  int left = 3;
  const auto next = [&]() -> task<std::optional<tracked>> {
    co_await wait();
    if (left == 0) co_return std::nullopt;
    co_return tracked(book_, left--);
  };
  const auto work = [&]() -> task<int> {
    while (auto object = co_await next()) {
      if (object->value() == 1) co_return 1;
    }
    co_return 0;
  };
  expect(1, work());
}

// Functions, because the captures of a lambda would count as declarations (bad_shapes_test.cpp has the counterparts).
task<bool> yes_at(stop& here) {
  co_await here;
  co_return true;
}

task<int> conditions_after_a_declaration(stop& here) {
  int count = 0;
  while (count < 3 && co_await yes_at(here)) ++count;
  if (!co_await yes_at(here)) co_return 0;
  switch (static_cast<int>(co_await yes_at(here))) {
    case 1:
      co_return count;
    default:
      co_return -1;
  }
}

task<int> condition_in_a_loop_that_declares(stop& here) {
  while (const bool more = co_await yes_at(here)) {
    if (!co_await yes_at(here)) break;
    co_return more;
  }
  co_return 0;
}

TEST_F(good_shape, condition_after_a_declaration) { expect(3, conditions_after_a_declaration(stop_)); }

TEST_F(good_shape, condition_in_a_loop_that_declares) { expect(1, condition_in_a_loop_that_declares(stop_)); }

TEST_F(good_shape, short_circuit_in_a_declaration) {
  const auto work = [&]() -> task<int> {
    const bool both = is_true_ && co_await yes();
    const bool neither = !is_true_ && co_await yes();
    co_return both && !neither;
  };
  expect(1, work());
}

TEST_F(good_shape, range_over_an_awaited_list) {
  const auto list = [this]() -> task<std::vector<tracked>> {
    co_await wait();
    co_return std::vector<tracked>(3, tracked(book_, 2));
  };
  const auto work = [&]() -> task<int> {
    int sum = 0;
    for (const tracked& object : co_await list()) sum += object.value();
    co_return sum;
  };
  expect(6, work());
}

TEST_F(good_shape, member_coroutine_of_a_temporary) {
  struct worker {
    tracked object;
    explicit worker(tracked given) : object(std::move(given)) {}
    task<int> run(stop& at) const {
      co_await at;
      co_return object.value();
    }
  };
  const auto work = [&]() -> task<int> { co_return co_await worker(tracked(book_, 3)).run(stop_); };
  expect(3, work());
}

TEST_F(good_shape, exception_past_objects_of_the_expression) {
  const auto use = [this](tracked one, const tracked& other) -> task<int> {
    co_await wait();
    if (one.value() < other.value()) throw std::runtime_error("less");
    co_return 0;
  };
  const auto work = [&]() -> task<int> {
    try {
      co_return co_await use(tracked(book_, 3), tracked(book_, 4));
    } catch (const std::runtime_error&) {
      co_return 1;
    }
  };
  expect(1, work());
}

TEST_F(good_shape, empty_task_past_objects_of_the_expression) {
  const auto none = [](tracked, const tracked&) { return task<int>(); };
  const auto work = [&]() -> task<int> {
    try {
      co_return co_await none(tracked(book_, 3), tracked(book_, 4));
    } catch (const std::logic_error&) {
      co_return 1;
    }
  };
  expect(1, work());
}

}  // namespace
}  // namespace windhover::compilers
