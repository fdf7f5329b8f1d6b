"""The report: every table has the noise in it, and nothing that was not measured."""

import unittest

from made_results import made, sample
from compare import report


def written(read):
    drawn = report.pictures(read)
    return report.markdown(read, drawn, "benchmarks")


def rows_of(text, title):
    """The rows of all tables below a title, each as a list of its cells."""
    section = text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]


ECHO = {"50:20:1": {"windhover": [sample(2000, 1000, limited=1)] * 5, "windhover-again": [sample(2020)] * 5,
                    "windhover-epoll": [sample(3000)] * 5, "raw-epoll": [sample(2400)] * 5, "bun": [sample(4000)] * 5}}


class Report(unittest.TestCase):
    def test_ratios_are_windhover_divided_by_the_other_with_the_interval(self):
        rows = rows_of(written(made(ECHO)), "Echo")
        self.assertEqual(rows[0][-1], "Bun")
        self.assertEqual(rows[2][0], "50:20:1")
        self.assertEqual(rows[2][-1], "0.50 (0.50–0.50)")

    def test_every_table_of_ratios_shows_a_server_against_itself(self):
        text = written(made({**ECHO, "churn": {"windhover": [sample(2000)] * 5, "windhover-again": [sample(1000)] * 5}}))
        self.assertEqual(rows_of(text, "Churn")[0], ["", "Windhover again"])
        self.assertEqual(rows_of(text, "Churn")[2], ["churn", "2.00 (2.00–2.00)"])

    def test_a_raw_echo_on_epoll_is_compared_with_windhover_on_epoll(self):
        rows = rows_of(written(made(ECHO)), "Echo, all together")
        self.assertIn("1.25 (1.25–1.25)", next(row for row in rows if row[0].startswith("raw TCP on epoll"))[1])

    def test_a_rate_that_the_generator_has_limited_is_marked(self):
        rows = [row for row in rows_of(written(made(ECHO)), "Echo") if row[0] == "50:20:1"]
        self.assertEqual(rows[2][1:3], ["1,000 *", "1,000"])

    def test_memory_is_for_each_connection(self):
        text = written(made({"idle:5000": {"windhover": [{"memory_bytes": 1024.0}], "bun": [{"memory_bytes": 1536.0}]}}))
        self.assertEqual(rows_of(text, "Idle memory")[2], ["idle:5000", "1.00", "1.50"])
        self.assertNotIn("## Echo", text)

    def test_who_is_left_out_is_said_with_the_reason(self):
        failed = [{"cell": "churn", "peer": "bun", "round": 2, "why": "nothing came back"}]
        text = written(made({"churn": {"windhover": [sample(1)]}}, {"kestrel": "dotnet is not on PATH", "bun": "x"}, failed))
        self.assertIn("* Kestrel: dotnet is not on PATH\n", text)
        self.assertIn("* Bun, churn, round 2: nothing came back\n", text)

    def test_a_peer_that_lacks_one_cell_has_an_empty_place_there(self):
        text = written(made({"50:20:1": {"windhover": [sample(1)], "bun": [sample(2)]}, "1:20:1": {"windhover": [sample(1)]}}))
        self.assertEqual(next(row for row in rows_of(text, "Echo") if row[0] == "1:20:1"), ["1:20:1", ""])

    def test_few_rounds_and_a_busy_machine_are_warned_of(self):
        self.assertIn("quick look", written(made(ECHO, rounds=2)))
        self.assertIn("busy with other things", written(made(ECHO, others=0.2)))
        quiet = written(made(ECHO))
        self.assertNotIn("quick look", quiet)
        self.assertNotIn("busy with other things", quiet)

    def test_pictures_are_those_that_the_report_shows(self):
        read = made({**ECHO, "idle:5000": {"windhover": [{"memory_bytes": 900.0}]}})
        drawn = report.pictures(read)
        self.assertEqual(set(drawn), {"cpu.svg", "cells.svg", "latency.svg", "memory.svg"})
        for name in drawn:
            self.assertIn(f"(benchmarks/{name})", written(read))


if __name__ == "__main__":
    unittest.main()
