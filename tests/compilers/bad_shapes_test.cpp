// Shapes of co_await that g++ 12.2 compiles wrongly, or not at all. They are right C++: clang builds and runs them, and
// that is the only compiler for which this file is built. What g++ does stands in the name of the suite; the README has
// the table.
//
// `./dev lint` refuses the shapes of the suites that end in `refused`: tests/architecture/checks_test.py holds it to
// that. It cannot see the others, because it does not know types.
#include "compilers/shapes.hpp"

namespace windhover::compilers {
namespace {

using destroyed_twice = shape;
using destroyed_twice_refused = shape;
using does_not_compile_refused = shape;
using never_resumed_refused = shape;

struct owning_options {
  tracked object;
  int number = 1;
};

struct options_with_a_default {
  std::string text = "a text that is longer than the object";
  int number = 1;
};

// ---- braced aggregates with a member that has a destructor
// ----------------------------------------------------------------

TEST_F(destroyed_twice, braced_options_by_value) {
  const auto use = [this](owning_options options) -> task<int> {
    co_await wait();
    co_return options.object.value() + options.number;
  };
  const auto work = [&]() -> task<int> { co_return co_await use({.object = tracked(book_, 3), .number = 4}); };
  expect(7, work());
}

TEST_F(destroyed_twice, braced_options_by_reference) {
  const auto use = [this](const owning_options& options) -> task<int> {
    co_await wait();
    co_return options.object.value() + options.number;
  };
  const auto work = [&]() -> task<int> { co_return co_await use({.object = tracked(book_, 3), .number = 4}); };
  expect(7, work());
}

TEST_F(destroyed_twice, braced_options_with_their_type) {
  const auto use = [this](owning_options options) -> task<int> {
    co_await wait();
    co_return options.object.value() + options.number;
  };
  const auto work = [&]() -> task<int> { co_return co_await use(owning_options{.object = tracked(book_, 3)}); };
  expect(4, work());
}

TEST_F(destroyed_twice, braced_options_that_leave_the_member_to_its_default) {
  const auto use = [this](options_with_a_default options) -> task<int> {
    co_await wait();
    co_return static_cast<int>(options.text.size()) + options.number;
  };
  const auto work = [&]() -> task<int> { co_return co_await use({.number = 4}) + co_await use({}); };
  expect(79, work());
}

TEST_F(destroyed_twice_refused, await_inside_braced_options) {
  const auto work = [&]() -> task<int> {
    const owning_options options{.object = co_await object(3), .number = 4};
    co_return options.object.value() + options.number;
  };
  expect(7, work());
}

// ---- braced lists
// ---------------------------------------------------------------------------------------------------------

TEST_F(does_not_compile_refused, braced_list_of_strings) {
  const auto use = [this](std::vector<std::string> texts) -> task<int> {
    co_await wait();
    co_return static_cast<int>(texts.size());
  };
  const auto work = [&]() -> task<int> { co_return co_await use({"a", "b"}); };
  expect(2, work());
}

TEST_F(does_not_compile_refused, braced_list_of_numbers) {
  const auto use = [this](std::vector<int> numbers) -> task<int> {
    co_await wait();
    co_return numbers[0] + numbers[1];
  };
  const auto work = [&]() -> task<int> { co_return co_await use({3, 4}); };
  expect(7, work());
}

TEST_F(does_not_compile_refused, await_inside_a_braced_list) {
  const auto work = [&]() -> task<int> {
    const std::vector<tracked> objects{co_await object(3), tracked(book_, 4)};
    co_return objects[0].value() + objects[1].value();
  };
  expect(7, work());
}

// ---- ?: with a result of class type
// ---------------------------------------------------------------------------------------

TEST_F(destroyed_twice_refused, choice_of_an_argument) {
  const auto use = [this](const tracked& object) -> task<int> {
    co_await wait();
    co_return object.value();
  };
  const auto work = [&]() -> task<int> { co_return co_await use(is_true_ ? tracked(book_, 3) : tracked(book_, 4)); };
  expect(3, work());
}

TEST_F(destroyed_twice_refused, choice_of_a_task) {
  const auto work = [&]() -> task<int> { co_return co_await (is_true_ ? number(3) : number(4)); };
  expect(3, work());
}

TEST_F(destroyed_twice_refused, choice_with_an_awaited_object) {
  const auto work = [&]() -> task<int> {
    const tracked chosen = is_true_ ? co_await object(3) : tracked(book_, 4);
    co_return chosen.value();
  };
  expect(3, work());
}

// ---- lambdas written in place that own their captures
// ---------------------------------------------------------------------

TEST_F(destroyed_twice_refused, lambda_as_argument) {
  const auto use = [this](auto function) -> task<int> {
    co_await wait();
    co_return function();
  };
  const auto work = [&]() -> task<int> {
    co_return co_await use([object = tracked(book_, 3)] { return object.value(); });
  };
  expect(3, work());
}

TEST_F(destroyed_twice_refused, lambda_as_function_object) {
  const auto use = [this](std::function<int()> function) -> task<int> {
    co_await wait();
    co_return function();
  };
  const auto work = [&]() -> task<int> {
    const tracked object(book_, 3);
    co_return co_await use([object] { return object.value(); });
  };
  expect(3, work());
}

TEST_F(destroyed_twice_refused, coroutine_lambda_called_where_it_stands) {
  const auto work = [&]() -> task<int> {
    const tracked object(book_, 3);
    co_return co_await [this, object]() -> task<int> {
      co_await wait();
      co_return object.value();
    }();
  };
  expect(3, work());
}

// ---- conditions in a coroutine that declares nothing
// ----------------------------------------------------------------------
//
// The condition's own variable then comes first in the coroutine's frame, where the address to resume at belongs (GCC
// bug 106188, mended in 12.3). These are functions because the captures of a lambda count as declarations.

task<bool> yes_at(stop& here) {
  co_await here;
  co_return true;
}

task<int> await_in_if(stop& here) {
  if (co_await yes_at(here)) co_return 1;
  co_return 0;
}

task<int> await_in_if_after_a_short_circuit(stop& here, bool is_true) {
  if (is_true && !co_await yes_at(here)) co_return 0;
  co_return 1;
}

task<int> await_in_if_in_a_loop(stop& here, bool is_true) {
  while (is_true) {
    if (co_await yes_at(here)) co_return 1;
  }
  co_return 0;
}

task<int> await_in_while(stop& here, int& left) {
  while (left > 0 && co_await yes_at(here)) --left;
  co_return left;
}

task<int> await_in_switch(stop& here) {
  switch (static_cast<int>(co_await yes_at(here))) {
    case 1:
      co_return 1;
    default:
      co_return 0;
  }
}

TEST_F(never_resumed_refused, if_condition) { expect(1, await_in_if(stop_)); }

TEST_F(never_resumed_refused, if_condition_with_a_short_circuit) {
  expect(1, await_in_if_after_a_short_circuit(stop_, is_true_));
}

TEST_F(never_resumed_refused, if_condition_in_a_loop_that_declares_nothing) {
  expect(1, await_in_if_in_a_loop(stop_, is_true_));
}

TEST_F(never_resumed_refused, while_condition) {
  int left = 2;
  expect(0, await_in_while(stop_, left));
}

TEST_F(never_resumed_refused, switch_condition) { expect(1, await_in_switch(stop_)); }

}  // namespace
}  // namespace windhover::compilers
