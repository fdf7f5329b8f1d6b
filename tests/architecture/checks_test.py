"""The checks that read sources, themselves checked: each finds what it looks for and leaves the rest alone."""

import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "cmake"))

from arrows import House, problems  # noqa: E402
from awaits import bad_shapes  # noqa: E402
from document_snippets import blocks_of, sources_of  # noqa: E402
from must_not_compile import complaint  # noqa: E402
from named_tests import NAMED  # noqa: E402
from rules import breaches  # noqa: E402
from sources import code_of, includes_of  # noqa: E402


class Sources(unittest.TestCase):
    def test_comments_and_literals_are_no_code(self):
        text = 'f("a // b"); // c\n/* d\ne */ g(\'"\', 1\'000, R"x(" )x");\n'
        self.assertEqual(code_of(text), 'f("");  \n \n g(\'\', 1\'000, "");\n')

    def test_includes_outside_comments(self):
        text = '#include <a>\n// #include <b>\n  #  include "c.hpp"\n'
        self.assertEqual(list(includes_of(text)), [(1, "<a>"), (3, '"c.hpp"')])


class Arrows(unittest.TestCase):
    house = House({
        "base": {"uses": [], "public_headers": ["include/windhover/task.hpp"]},
        "wire": {"uses": ["base"], "public_headers": ["include/windhover/headers.hpp"]},
        "net": {"uses": ["base"], "public_headers": []},
        "http": {"uses": ["wire", "net"], "public_headers": ["include/windhover/json.hpp"]},
    })
    declared = {header: "" for header in house.owners}

    def found(self, file, text):
        return [problem.split(": ", 1)[1] for problem in problems(self.house, {**self.declared, file: text})]

    def test_a_room_includes_itself_and_what_it_uses_directly_or_not(self):
        text = '#include "http/a.hpp"\n#include "net/b.hpp"\n#include "base/c.hpp"\n#include <windhover/task.hpp>\n'
        self.assertEqual(self.found("src/http/a.cpp", text), [])

    def test_no_arrow_goes_back(self):
        self.assertEqual(self.found("src/base/a.cpp", '#include "net/b.hpp"\n'),
                         ['base must not include "net/b.hpp": net is not a room that it uses'])
        self.assertEqual(self.found("src/net/a.cpp", "#include <windhover/headers.hpp>\n"),
                         ["net must not include <windhover/headers.hpp>: wire is not a room that it uses"])

    def test_includes_of_public_headers_count_too(self):
        self.assertEqual(self.found("include/windhover/task.hpp", "#include <windhover/headers.hpp>\n"),
                         ["base must not include <windhover/headers.hpp>: wire is not a room that it uses"])

    def test_public_headers_include_no_third_party(self):
        for spelling in ("<boost/beast.hpp>", "<sys/socket.h>", "<liburing.h>", '"base/text.hpp"'):
            self.assertEqual(self.found("include/windhover/task.hpp", f"#include {spelling}\n"),
                             [f"a public header must not include {spelling}"])
        self.assertEqual(self.found("include/windhover/task.hpp", "#include <string_view>\n"), [])
        self.assertEqual(self.found("include/windhover/json.hpp", "#include <nlohmann/json.hpp>\n"), [])

    def test_every_public_header_belongs_to_one_room(self):
        self.assertEqual(self.found("include/windhover/stray.hpp", ""), ["belongs to no room"])
        self.assertEqual(self.found("src/net/a.cpp", "#include <windhover/stray.hpp>\n"),
                         ["<windhover/stray.hpp> belongs to no room"])
        twice = House({room: {"uses": [], "public_headers": ["include/windhover/a.hpp"]} for room in ("base", "net")})
        self.assertEqual(list(problems(twice, {"include/windhover/a.hpp": ""})),
                         ["include/windhover/a.hpp: belongs to base and net"])
        self.assertEqual(list(problems(self.house, {})), [
            f"{header}: {room[0]} declares it, and it does not exist" for header, room in self.house.owners.items()])

    def test_every_folder_is_a_room(self):
        self.assertEqual(self.found("src/attic/a.cpp", ""), ["attic is not a room of the build"])

    def test_wire_is_made_of_pure_functions(self):
        for spelling in ("<coroutine>", "<thread>", "<sys/socket.h>", "<windhover/task.hpp>"):
            self.assertEqual(self.found("src/wire/a.cpp", f"#include {spelling}\n"),
                             [f"wire must not include {spelling}: it is made of pure functions"])


class Rules(unittest.TestCase):
    def found(self, file, text):
        return [why for _, why in breaches(file, text)]

    def test_nothing_waits_by_the_clock(self):
        self.assertEqual(len(self.found("tests/net/a_test.cpp", "std::this_thread::sleep_for(1s);\nusleep(5);\n")), 2)
        self.assertEqual(self.found("tests/net/a_test.cpp", "co_await wh::sleep_for(1s); // usleep(5)\n"), [])

    def test_time_comes_from_the_loop(self):
        text = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(self.found("src/http/a.cpp", text), ["time comes from loop.now()"])
        self.assertEqual(self.found("src/net/event_loop.cpp", text), [])
        self.assertEqual(self.found("src/http/a.cpp", "std::chrono::steady_clock::time_point now;\n"), [])

    def test_randomness_and_threads_are_handed_in(self):
        self.assertEqual(len(self.found("src/websocket/a.cpp", "std::random_device d;\nstd::thread t;\n")), 2)
        self.assertEqual(self.found("src/net/worker_pool.cpp", "std::thread t;\n"), [])
        self.assertEqual(self.found("src/websocket/a.cpp", "std::thread::id owner;\n"), [])

    def test_the_library_does_not_print_or_end_the_process(self):
        self.assertEqual(len(self.found("src/net/a.cpp", "std::cerr << x;\nprintf(x);\nstd::abort();\nfmt::print(x);\n")), 4)
        self.assertEqual(self.found("src/net/a.cpp", "transport.abort();\nstd::snprintf(a, b, c);\n"), [])

    def test_sockets_belong_to_the_engines(self):
        text = "const int taken = ::accept4(listening, nullptr, nullptr, 0);\n"
        self.assertEqual(self.found("src/net/listener.cpp", text),
                         ["sockets are read and written by the engines, or a simulation could not"])
        self.assertEqual(self.found("src/net/engine.cpp", text), [])
        self.assertEqual(self.found("src/net/a.cpp", "int simulated_network::accept(int listening);\n"), [])

    def test_no_macros_in_headers(self):
        self.assertEqual(self.found("src/net/a.hpp", "# define X 1\n"), ["there are no macros in headers"])
        self.assertEqual(self.found("src/net/a.cpp", "#define X 1\n"), [])


class Awaits(unittest.TestCase):
    """tests/compilers says which shapes g++ 12 gets wrong; lint must refuse those, and none that it gets right."""

    def test_good_shapes_are_left_alone(self):
        text = (ROOT / "tests/compilers/good_shapes_test.cpp").read_text(encoding="utf-8")
        self.assertGreater(text.count("co_await"), 20)
        self.assertEqual(list(bad_shapes(text)), [])

    def test_bad_shapes_are_refused_where_their_suite_says_so(self):
        text = (ROOT / "tests/compilers/bad_shapes_test.cpp").read_text(encoding="utf-8")
        # A test ends where the next begins; the functions of the suite `never_resumed_refused` stand before their tests.
        parts = {match[1]: match.start() for match in re.finditer(r"^TEST_F\((\w+, \w+)\)", text, re.MULTILINE)}
        parts |= {match[1]: match.start() for match in re.finditer(r"^task<int> (await_\w+)\(", text, re.MULTILINE)}
        starts = sorted(parts.values()) + [len(text)]
        for name, start in parts.items():
            part = text[start:starts[starts.index(start) + 1]]
            refused = len(list(bad_shapes(part))) > 0
            expected = name.startswith("await_") or (
                name.split(",")[0].endswith("_refused") and not name.startswith("never_resumed"))
            self.assertEqual(refused, expected, name)

    def refused(self, text):
        return len(list(bad_shapes(f"task<> f() {{ {text} }}"))) > 0

    def test_only_the_expression_around_the_await_counts(self):
        self.assertFalse(self.refused("int a = b ? 1 : 2; co_await g(a); c = d ? 3 : 4;"))
        self.assertFalse(self.refused("if (a ? b : c) co_await g();"))
        self.assertFalse(self.refused("auto f = [x]() -> task<> { co_await g(); };"))
        self.assertFalse(self.refused("co_await run([&] { return a ? b : c; });"))
        self.assertFalse(self.refused("x[i] = co_await g(y[j]);"))
        self.assertTrue(self.refused("app.use([](auto next) -> task<> { co_await (a ? next() : other()); });"))

    def test_a_declaration_before_a_condition_counts_only_where_it_encloses_it(self):
        self.assertFalse(self.refused("int a = 1; if (co_await g()) h();"))
        self.assertFalse(self.refused("while (auto a = co_await g()) { if (co_await h()) break; }"))
        self.assertFalse(self.refused("const auto& [a, b] = c; if (co_await g()) h();"))
        self.assertFalse(self.refused("std::vector<int> a; if (co_await g()) h();"))
        self.assertTrue(self.refused("call(a); b = c; if (co_await g()) h();"))
        self.assertTrue(self.refused("{ int a = 1; } if (co_await g()) h();"))


class MustNotCompile(unittest.TestCase):
    def test_only_the_expected_refusal_passes(self):
        self.assertIsNone(complaint(1, "error: use of deleted function 'f'", "deleted function"))
        self.assertIsNotNone(complaint(1, "error: no such file", "deleted function"))
        self.assertIsNotNone(complaint(0, "warning: deleted function", "deleted function"))


class DocumentSnippets(unittest.TestCase):
    document = """Text

```cpp
#include <vector>
int answer = 42;
```

```json
{}
```

```cpp body
co_await socket.close();
```

```cpp
#include <vector>
int main() {}
```
"""

    def test_finds_the_blocks_and_their_lines(self):
        self.assertEqual([(block.line, block.is_body, block.is_program) for block in blocks_of(self.document)],
                         [(4, False, False), (13, True, False), (17, False, True)])

    def test_programs_stand_alone_and_the_rest_together(self):
        program, together = sources_of(self.document, "guide.md")
        self.assertEqual(program, '#line 17 "guide.md"\n#include <vector>\nint main() {}\n')
        self.assertTrue(together.startswith("#include <vector>\n#include <windhover/windhover.hpp>\n"))
        self.assertIn('#line 13 "guide.md"\nco_await socket.close();\n', together)
        self.assertEqual(together.count("{"), together.count("}"))


class NamedTests(unittest.TestCase):
    def test_both_ways_to_write_names_and_no_files(self):
        text = "`Suite.Name` `utf8.says_no` `rules.py` `task.hpp` `docs/page.md` `loop.now()` `utf8.hpp_is_read`"
        self.assertEqual(NAMED.findall(text), ["Suite.Name", "utf8.says_no", "utf8.hpp_is_read"])


if __name__ == "__main__":
    unittest.main()
