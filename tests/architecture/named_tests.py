"""Documents name tests as proofs, `Suite.Name`: every one that they name must be there.

usage: named_tests.py TESTS DOCUMENT ...

TESTS is the folder of the tests. Prints the names that nothing in it defines and exits with 1 if there are any.
"""

import re
import sys
from pathlib import Path

# `file.hpp` is no test.
NAMED = re.compile(r"`([A-Za-z]\w*\.(?!(?:cpp|hpp|json|md|mjs|py)`)[A-Za-z]\w*)`")
DEFINED = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)


def defined_tests(folder):
    sources = "\n".join(path.read_text() for path in sorted(Path(folder).rglob("*_test.cpp")))
    return {f"{suite}.{name}" for suite, name in DEFINED.findall(sources)}


def main():
    defined = defined_tests(sys.argv[1])
    named = {(path, name) for path in sys.argv[2:] for name in NAMED.findall(Path(path).read_text())}
    missing = sorted((path, name) for path, name in named if name not in defined and name != "Suite.Name")
    for path, name in missing:
        print(f"{path}: there is no test {name}")
    print(f"{len(named)} tests are named.")
    return 1 if missing or not named else 0


if __name__ == "__main__":
    sys.exit(main())
