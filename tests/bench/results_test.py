"""The document of a comparison, and the questions that are asked about it."""

import json
import unittest

from made_results import made, sample
from compare.cells import CELLS
from compare.peers import PEERS
from compare.results import Results, columns_of


class Document(unittest.TestCase):
    def test_each_figure_has_a_value_for_each_round(self):
        self.assertEqual(columns_of([sample(5), None]), {"cpu_ns": [5, None], "rate": [1000, None],
                                                         "p99_ns": [1_000_000, None], "limited": [0, None]})
        self.assertEqual(columns_of([{"memory_bytes": 7}]), {"memory_bytes": [7]})

    def test_a_peer_that_failed_in_every_round_is_in_no_cell(self):
        read = made({"churn": {"windhover": [sample(5)], "bun": [None, None]}})
        self.assertEqual(list(read["cells"][0]["servers"]), ["windhover"])

    def test_it_is_json_and_small_for_an_hour_of_rounds(self):
        every = {cell.name: {peer.name: [sample(12345.6, 1234567, 12345678) for _ in range(15)] for peer in PEERS
                             if cell.kind in peer.kinds} for cell in CELLS}
        text = json.dumps(made(every), separators=(",", ":"))
        self.assertLess(len(text), 200_000)

    def test_a_cell_says_how_its_connections_are_made(self):
        read = made({"h2:1x100:20:1": {"windhover": [sample(5)]}, "50:20:1": {"windhover": [sample(5)]}})
        self.assertEqual([(cell["tls"], cell["per_connection"]) for cell in read["cells"]], [(True, 100), (False, 0)])


class Questions(unittest.TestCase):
    def test_ratios_are_of_one_round(self):
        results = Results(made({"50:20:1": {"windhover": [sample(1), sample(20)], "bun": [sample(2), sample(40)]}}))
        self.assertEqual(results.ratio(results.cells("echo")[0], "windhover", "bun", "cpu_ns"), (0.5, 0.5, 0.5))

    def test_the_mean_is_over_the_echo_cells_alone(self):
        results = Results(made({"50:20:1": {"windhover": [sample(1)], "bun": [sample(2)]},
                                "1:20:1": {"windhover": [sample(1)], "bun": [sample(8)]},
                                "churn": {"windhover": [sample(9)], "bun": [sample(1)]},
                                "wss:50:20:1": {"windhover": [sample(9)], "bun": [sample(3)]}}))
        self.assertAlmostEqual(results.mean("windhover", "bun", "cpu_ns")[0], 0.25)
        self.assertAlmostEqual(results.mean("windhover", "bun", "cpu_ns", "wss")[0], 3)

    def test_a_server_is_compared_with_itself_in_another_cell_round_by_round(self):
        results = Results(made({"h2:1x100:20:1": {"windhover": [sample(1), None, sample(20)]},
                                "h1:100x1:20:1": {"windhover": [sample(2), sample(9), sample(40)]}}))
        found = results.ratio_of_cells(*results.cells("http2", "sharing"), "windhover", "cpu_ns")
        self.assertEqual(found, (0.5, 0.5, 0.5))

    def test_the_generator_was_the_limit_when_it_was_so_in_half_of_the_rounds(self):
        def limit(*marks):
            results = Results(made({"churn": {"windhover": [sample(1, limited=mark) for mark in marks]}}))
            return results.generator_was_the_limit(results.cells("churn")[0], "windhover")

        self.assertTrue(limit(1, 0))
        self.assertFalse(limit(1, 0, 0))


if __name__ == "__main__":
    unittest.main()
