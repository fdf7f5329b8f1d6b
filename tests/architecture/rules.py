"""Our own rules that no compiler and no formatter knows, as far as they can be seen in the text.

usage: rules.py FILE...     (paths from the root of the project)
"""

import pathlib
import re
import sys
from dataclasses import dataclass, field

from awaits import bad_shapes
from sources import code_of

# The shapes that g++ 12 compiles wrongly stand here on purpose.
BAD_SHAPES = "tests/compilers/bad_shapes_test.cpp"


@dataclass
class Rule:
    """`pattern` must not occur in the code of files below `folders`, except in the files that `allowed` matches."""

    pattern: str
    why: str
    folders: tuple
    allowed: str = "(?!)"
    expression: re.Pattern = field(init=False)

    def __post_init__(self):
        self.expression = re.compile(self.pattern)


LIBRARY = ("src/", "include/")

RULES = [
    Rule(r"\b(this_thread::sleep_(for|until)|usleep|nanosleep|clock_nanosleep|sleep)\s*\(",
         "nothing waits by the clock: wait for the event", ("src/", "include/", "tests/", "apps/", "samples/"),
         # Windhover's own sleep_for is a task on the loop's timers.
         allowed=r"include/windhover/.*|src/net/awaiting\.cpp"),
    Rule(r"\b(steady_clock|system_clock|high_resolution_clock|utc_clock)\s*::\s*now\b|\bclock_gettime\b|\bgettimeofday\b",
         "time comes from loop.now()", LIBRARY, allowed=r"src/net/(clock|event_loop|engine_\w+)\.cpp"),
    Rule(r"\brandom_device\b|\bgetrandom\b|\bRAND_bytes\b|\bs?rand\s*\(|\barc4random",
         "randomness comes from a random_source that is handed in", LIBRARY, allowed=r"src/base/random\.cpp"),
    Rule(r"\bstd\s*::\s*(jthread|thread|async)\b(?!\s*::\s*id)|\bpthread_create\b",
         "threads are the business of net and of hosting", LIBRARY, allowed=r"src/(net|hosting)/.*"),
    Rule(r"\bstd\s*::\s*(cout|cerr|clog|exit|quick_exit|abort|f?printf|f?puts)\b|\bfmt\s*::\s*print\b|(?<![\w.>])f?(printf|puts)\s*\(",
         "the library does not print, exit or abort", LIBRARY,
         # What a program says before it has a log, and what the log says.
         allowed=r"src/hosting/(web_application|console_logger)\.cpp"),
    Rule(r"(?<![\w>])::\s*(accept4?|recv|recvfrom|recvmsg|sendmsg|sendto)\s*\(",
         "sockets are read and written by the engines, or a simulation could not", LIBRARY,
         allowed=r"src/net/engine\w*\.cpp"),
    Rule(r"^\s*#\s*define\b", "there are no macros in headers", ("include/", "src/.*\\.hpp")),
]


def breaches(file, text):
    """(line, why) of every breach in one file."""
    code = code_of(text)
    for rule in RULES:
        if any(re.match(folder, file) for folder in rule.folders) and not re.fullmatch(rule.allowed, file):
            for number, line in enumerate(code.splitlines(), start=1):
                if rule.expression.search(line):
                    yield number, rule.why
    if file != BAD_SHAPES:
        yield from bad_shapes(text)


def main():
    found = [f"{file}:{line}: {why}" for file in sys.argv[1:]
             for line, why in breaches(file, pathlib.Path(file).read_text(encoding="utf-8"))]
    if found:
        sys.exit("\n".join(found))
    print(f"{len(sys.argv) - 1} files follow the rules.")


if __name__ == "__main__":
    main()
