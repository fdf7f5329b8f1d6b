"""Runs a compiler on a misuse and fails unless the compiler refuses it for the reason that is expected.

usage: must_not_compile.py --expect REGULAR_EXPRESSION -- COMPILER [ARGUMENT ...]
"""

import argparse
import re
import subprocess
import sys


def complaint(exit_code, diagnostics, expected):
    """Why the outcome is not the expected refusal, or None when it is."""
    if exit_code == 0:
        return "The misuse compiles."
    if not re.search(expected, diagnostics):
        return f"The compiler refuses it, but says nothing that matches '{expected}':\n{diagnostics}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect", required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    outcome = subprocess.run(arguments.command, capture_output=True, text=True, check=False)
    found = complaint(outcome.returncode, outcome.stdout + outcome.stderr, arguments.expect)
    if found:
        sys.exit(found)


if __name__ == "__main__":
    main()
