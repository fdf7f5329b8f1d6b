"""The cells, and which of them and of the peers the options choose."""

import contextlib
import io
import unittest

import made_results  # noqa: F401
from compare import __main__ as program
from compare.cells import CELLS, bytes_of, echo


class Cells(unittest.TestCase):
    def test_a_name_of_an_echo_cell_says_its_load(self):
        cell = echo("50:16Ki:4")
        self.assertEqual((cell.connections, cell.size, cell.in_flight), (50, 16384, 4))
        self.assertEqual(bytes_of("125"), 125)
        self.assertIn("16384", cell.load())

    def test_names_are_unique(self):
        names = [cell.name for cell in CELLS]
        self.assertEqual(len(names), len(set(names)))


class Options(unittest.TestCase):
    def chosen(self, *arguments):
        options = program.parse(arguments)
        return [cell.name for cell in options.cells], [peer.name for peer in options.peers]

    def test_without_options_there_is_everything(self):
        cells, peers = self.chosen()
        self.assertEqual(cells, [cell.name for cell in CELLS])
        self.assertIn("kestrel", peers)

    def test_a_quick_look_takes_some_cells_and_measures_memory_once(self):
        options = program.parse(["--quick"])
        self.assertLess(len(options.cells), len(CELLS))
        self.assertEqual([cell.most_rounds for cell in options.cells if cell.kind == "idle"], [1])

    def test_peers_that_are_named_leave_the_cells_alone_and_bring_their_counterparts(self):
        cells, peers = self.chosen("--only", "raw-epoll")
        self.assertEqual(len(cells), len(CELLS))
        self.assertEqual(peers, ["windhover", "windhover-again", "windhover-epoll", "raw-epoll"])

    def test_cells_kinds_and_peers_can_be_mixed(self):
        cells, peers = self.chosen("--only", "50:20:*,churn,bun")
        self.assertEqual(cells, ["50:20:1", "50:20:16", "churn"])
        self.assertEqual(peers, ["windhover", "windhover-again", "bun"])

    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            program.parse(arguments)
        return said.getvalue()

    def test_a_name_that_is_none_is_refused(self):
        self.assertIn("'nobody'", self.refused("--only", "churn,nobody"))

    def test_a_server_of_somebody_elses_stands_beside_the_others(self):
        options = program.parse(["--peer", "mine=./server --port={port} --quiet", "--only", "mine,churn"])
        self.assertEqual([peer.name for peer in options.peers], ["windhover", "windhover-again", "mine"])
        command = options.peers[-1].command("churn")
        self.assertEqual(command(4711), ["./server", "--port=4711", "--quiet"])

    def test_the_port_comes_last_where_nothing_else_is_said(self):
        options = program.parse(["--peer", "mine=./server"])
        self.assertEqual(options.peers[-1].command("echo")(4711), ["./server", 4711])

    def test_a_server_needs_a_name_of_its_own_and_a_command(self):
        for text in ("mine", "=./server", "mine=", "a b=./server"):
            self.assertIn("is not NAME=COMMAND", self.refused("--peer", text))
        self.assertIn("already", self.refused("--peer", "bun=./server"))


if __name__ == "__main__":
    unittest.main()
