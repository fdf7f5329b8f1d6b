"""What is counted when tests have run, and what is kept of those that failed."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "cmake"))

from test_results import outcome_of  # noqa: E402

SUITE = """Running main() from gtest_main.cc
Note: Google Test filter = All/Parser.*
[==========] Running 3 tests from 1 test suite.
[----------] 3 tests from All/Parser
[ RUN      ] All/Parser.ReadsAll/0
[       OK ] All/Parser.ReadsAll/0 (0 ms)
"""
SKIPPED = """[ RUN      ] All/Parser.ReadsAll/1
skipped: there is nothing to read
[  SKIPPED ] All/Parser.ReadsAll/1 (1 ms)
"""
PASSED = """[ RUN      ] All/Parser.ReadsAll/2
[       OK ] All/Parser.ReadsAll/2 (0 ms)
"""
FAILED = """[ RUN      ] All/Parser.ReadsAll/2
parser_test.cpp:7: Failure
no end of line[  FAILED  ] All/Parser.ReadsAll/2, where GetParam() = 4-byte object (5 ms)
"""
SUMMARY = """[----------] 3 tests from All/Parser (8 ms total)
[  FAILED  ] 1 test, listed below:
[  FAILED  ] All/Parser.ReadsAll/2, where GetParam() = 4-byte object
"""


def outcome(status, output, reason=None):
    case = xml.Element("testcase", name="wire.All/Parser", status=status)
    if reason is not None:
        xml.SubElement(case, "skipped", message=reason)
    xml.SubElement(case, "system-out").text = output
    return outcome_of(case)


class Counted(unittest.TestCase):
    def counts(self, status, output, reason=None):
        counted = outcome(status, output, reason)
        return counted.passed, counted.failed, counted.skipped

    def test_a_program_is_one_test(self):
        self.assertEqual(self.counts("run", "all is well\n"), (1, 0, 0))
        self.assertEqual(self.counts("fail", "all is not well\n"), (0, 1, 0))
        self.assertEqual(self.counts("notrun", "skipped: no browser\n", "SKIP_REGULAR_EXPRESSION_MATCHED"), (0, 0, 1))
        self.assertEqual(self.counts("notrun", "no such program\n", "Unable to find executable"), (0, 1, 0))
        self.assertEqual(self.counts("disabled", ""), (0, 0, 1))

    def test_of_a_suite_its_tests_count(self):
        self.assertEqual(self.counts("run", SUITE + SKIPPED + PASSED), (2, 0, 1))
        self.assertEqual(self.counts("fail", SUITE + SKIPPED + FAILED + SUMMARY), (1, 1, 1))

    def test_a_test_alone_that_is_skipped_is_one(self):
        self.assertEqual(self.counts("notrun", SKIPPED, "SKIP_REGULAR_EXPRESSION_MATCHED"), (0, 0, 1))

    def test_no_test_that_was_not_run_has_passed(self):
        self.assertEqual(self.counts("run", "[==========] Running 0 tests from 0 test suites.\n"), (0, 0, 0))

    def test_the_end_of_the_process_fails_the_test_that_ran(self):
        self.assertEqual(self.counts("fail", SUITE + "[ RUN      ] All/Parser.ReadsAll/2\nno address\n"), (1, 1, 0))

    def test_no_process_that_ends_early_has_passed(self):
        self.assertEqual(self.counts("run", SUITE + SKIPPED), (1, 1, 1))
        self.assertEqual(self.counts("run", SUITE + "[ RUN      ] All/Parser.ReadsAll/2\n"), (1, 1, 0))

    def test_what_fails_after_the_last_test_fails_too(self):
        self.assertEqual(self.counts("fail", SUITE + SKIPPED + PASSED + "16 bytes leaked\n"), (2, 1, 1))


class Kept(unittest.TestCase):
    def test_of_a_suite_what_the_failed_test_wrote(self):
        [(name, lines)] = outcome("fail", SUITE + SKIPPED + FAILED + SUMMARY).failures
        self.assertEqual(name, "All/Parser.ReadsAll/2")
        self.assertEqual(lines, FAILED.splitlines())

    def test_of_a_process_that_ended_what_it_wrote_last(self):
        [(name, lines)] = outcome("fail", SUITE + "[ RUN      ] All/Parser.ReadsAll/2\nno address\n").failures
        self.assertEqual((name, lines[1:]), ("All/Parser.ReadsAll/2", ["no address", "Tests after it that did not run: 1"]))

    def test_of_a_program_everything(self):
        self.assertEqual(outcome("fail", "one\ntwo\n").failures, [("wire.All/Parser", ["one", "two"])])


if __name__ == "__main__":
    unittest.main()
