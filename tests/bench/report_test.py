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

    def test_echoes_over_tls_stand_apart_and_change_no_figure_of_the_others(self):
        over_tls = {"wss:50:20:1": {"windhover": [sample(9000)] * 5, "bun": [sample(3000)] * 5},
                    "wss:50:16Ki:1": {"windhover": [sample(9000)] * 5, "bun": [sample(3000)] * 5}}
        alone, both = written(made(ECHO)), written(made({**ECHO, **over_tls}))
        for title in ("Echo, all together", "Echo"):
            self.assertEqual(rows_of(alone, title), rows_of(both, title))
        rows = rows_of(both, "Echo over TLS")
        self.assertEqual(rows[2][:2], ["Bun", "3.00 (3.00–3.00)"])
        self.assertIn(["wss:50:16Ki:1", "3.00 (3.00–3.00)"], rows)
        self.assertNotIn("Echo over TLS", alone)

    def test_what_was_agreed_on_over_tls_is_said(self):
        read = made(ECHO)
        self.assertNotIn("agreed on", report.about(read))
        read["tls"] = "TLSv1.3, A_SUITE"
        self.assertIn("| TLS | TLSv1.3, A_SUITE; agreed on with every server |", report.about(read))

    def test_a_server_that_is_left_out_over_tls_alone_is_said_to_be(self):
        text = written(made({"churn": {"windhover": [sample(1)], "bun": [sample(1)]}}, {"bun tls": "it agrees on less"}))
        self.assertIn("* Bun over TLS: it agrees on less\n", text)

    def test_cells_of_http2_have_a_section_with_the_servers_that_speak_it(self):
        text = written(made({"h2:1x100:20:1": {"windhover": [sample(1000)] * 5, "windhover-again": [sample(1000)] * 5,
                                               "kestrel": [sample(8000)] * 5}}))
        rows = rows_of(text, "WebSockets over HTTP/2")
        self.assertEqual(rows[0], ["", "Windhover again", "Kestrel"])
        self.assertEqual(rows[2][-1], "0.12 (0.12–0.12)")
        self.assertNotIn("## One connection or a hundred", text)

    def test_pictures_are_those_that_the_report_shows(self):
        read = made({**ECHO, "idle:5000": {"windhover": [{"memory_bytes": 900.0}]},
                     "wss:50:20:1": {"windhover": [sample(9)]}, "h2:1x100:20:1": {"windhover": [sample(1)]}})
        drawn = report.pictures(read)
        self.assertEqual(set(drawn), {"cpu.svg", "cells.svg", "latency.svg", "memory.svg", "wss.svg", "http2.svg"})
        for name in drawn:
            self.assertIn(f"(benchmarks/{name})", written(read))


if __name__ == "__main__":
    unittest.main()
