"""Counts what one run of ctest wrote, and keeps what failed tests had to say.

usage: test_results.py PRESET RESULTS FAILURES

RESULTS is the JUnit file of ctest. Prints how many tests passed, failed and were skipped; adds the end of what each failed
one wrote to the file FAILURES; and says on the error stream what those that did not fail have to tell: their lines that
begin with "note: ".

A test of ctest may be a whole suite of GoogleTest: then its tests are counted, and not the suite.
"""

import re
import sys
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

LAST_LINES = 60

STARTED = re.compile(r"\[==========\] Running (\d+) tests? from ")
BEGUN = re.compile(r"\[ RUN      \] (\S+)$")
ENDED = re.compile(r"\[(       OK |  SKIPPED |  FAILED  )\] (\S+?),?(?: where .*)? \(\d+ ms\)$")


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    # What to show of each failure: its name, and what was written.
    failures: list = field(default_factory=list)


def outcome_of_suite(name, has_failed, lines):
    """The outcome of an executable of GoogleTest, from its output."""
    outcome, begun, since, left = Outcome(), None, 0, 0
    for number, line in enumerate(lines):
        if found := STARTED.search(line):
            left = int(found[1])
        elif found := BEGUN.search(line):
            begun, since, left = found[1], number, left - 1
        elif found := ENDED.search(line):
            match found[1].strip():
                case "OK":
                    outcome.passed += 1
                case "SKIPPED":
                    outcome.skipped += 1
                case "FAILED":
                    outcome.failed += 1
                    outcome.failures.append((found[2], lines[since:number + 1]))
            begun, since = None, number + 1
    if begun is not None or left > 0 or (has_failed and not outcome.failures):
        # It ended in the middle of a test, before all had begun, or after the last one, and not by an assertion.
        outcome.failed += 1
        unheard = [f"Tests after it that did not run: {left}"] if left > 0 else []
        outcome.failures.append((begun or name, lines[since:] + unheard))
    return outcome


def outcome_of(case):
    """The outcome of one testcase of a JUnit file of ctest."""
    name, status = case.get("name"), case.get("status")
    lines = (case.findtext("system-out") or "").splitlines()
    if status in ("run", "fail") and any(STARTED.search(line) for line in lines):
        return outcome_of_suite(name, status == "fail", lines)
    if status == "run":
        return Outcome(passed=1)
    # What could not be started, as a program that is missing, is "notrun" as well as what skips itself.
    reason = case.find("skipped")
    if status == "disabled" or (reason is not None and reason.get("message", "").startswith("SKIP_")):
        return Outcome(skipped=1)
    return Outcome(failed=1, failures=[(name, lines)])


def main():
    preset, results, failures = sys.argv[1:]
    cases = list(xml.parse(results).getroot().iter("testcase"))
    outcomes = [outcome_of(case) for case in cases]
    print(*(sum(getattr(outcome, kind) for outcome in outcomes) for kind in ("passed", "failed", "skipped")))
    for case in cases:
        for line in (case.findtext("system-out") or "").splitlines():
            if line.startswith("note: "):
                print("   ", line, file=sys.stderr)
    with open(failures, "a", encoding="utf-8") as file:
        for outcome in outcomes:
            for name, lines in outcome.failures:
                print(f"==> Failed in {preset}: {name}", *lines[-LAST_LINES:], sep="\n", file=file)


if __name__ == "__main__":
    main()
