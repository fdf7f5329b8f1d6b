"""What sharing a connection costs: cells of one server that differ in nothing else are set against one another."""

import unittest

from made_results import made, sample
from compare import report, sharing
from compare.results import Results

MEASURED = {
    "h2:1x100:20:1": {"windhover": [sample(1000, 90_000)] * 5, "windhover-epoll": [sample(3000)] * 5, "kestrel": [sample(9)] * 5},
    "h2:100x1:20:1": {"windhover": [sample(6000, 50_000)] * 5, "windhover-epoll": [sample(6000)] * 5},
    "h1:100x1:20:1": {"windhover": [sample(4000, 70_000, limited=1)] * 5, "windhover-epoll": [sample(6000)] * 5},
    "h2c:1x100:20:1": {"windhover": [sample(500)] * 5},
    "h1c:100x1:20:1": {"windhover": [sample(2000)] * 5},
}


class Sharing(unittest.TestCase):
    def test_each_server_is_divided_by_itself_over_http1(self):
        head, rows = sharing.ratio_table(Results(made(MEASURED)), report.with_interval)
        self.assertEqual(head, ["", "Windhover", "Windhover on epoll"])
        self.assertEqual(rows[0], ["100 WebSockets over TLS, 20 bytes, 1 in flight: processor time, HTTP/2, a connection each",
                                   "1.50 (1.50–1.50)", "1.00 (1.00–1.00)"])
        self.assertEqual(rows[1][1:], ["0.25 (0.25–0.25)", "0.50 (0.50–0.50)"])

    def test_clear_text_is_divided_by_clear_text(self):
        _, rows = sharing.ratio_table(Results(made(MEASURED)), report.with_interval)
        self.assertEqual(rows[2][:2], ["100 WebSockets in clear text, 20 bytes, 1 in flight: processor time, HTTP/2, shared "
                                       "connections", "0.25 (0.25–0.25)"])
        self.assertEqual(len(rows), 3)

    def test_the_figures_stand_in_one_row_for_each_way(self):
        head, rows = sharing.figure_table(Results(made(MEASURED)))
        self.assertEqual(head, ["", "HTTP/1.1", "HTTP/2, a connection each", "HTTP/2, shared connections"])
        self.assertEqual(rows[0][1:], ["4.00", "6.00", "1.00"])
        self.assertEqual(rows[1][1:], ["70,000 *", "50,000", "90,000"])
        self.assertEqual(rows[3][1:], ["2.00", "", "0.500"])

    def test_memory_is_that_of_a_websocket(self):
        results = Results(made({"idle-h2:50x100": {"windhover": [{"memory_bytes": 2048.0}]},
                                "idle-h1:5000x1": {"windhover": [{"memory_bytes": 16384.0}]}}))
        self.assertEqual(sharing.figure_table(results)[1], [["5,000 WebSockets over TLS, idle: KiB for each", "16.00", "", "2.00"]])
        self.assertEqual(sharing.ratio_table(results, lambda found: found[0])[1][0][1], 0.125)

    def test_cells_without_their_counterpart_are_in_no_table(self):
        for alone in ("h2:1x100:20:1", "h1:100x1:20:1"):
            self.assertEqual(sharing.rows(Results(made({alone: MEASURED[alone]}))), [])

    def test_it_is_a_section_of_the_report(self):
        read = made(MEASURED)
        text = report.markdown(read, report.pictures(read), "benchmarks")
        self.assertIn("## One connection or a hundred\n", text)
        self.assertIn("| 0.25 (0.25–0.25) | 0.50 (0.50–0.50) |", text)


if __name__ == "__main__":
    unittest.main()
