"""The cells, and which of them and of the peers the options choose."""

import contextlib
import io
import unittest

import made_results  # noqa: F401
from compare import __main__ as program, peers
from compare.cells import CELLS, bytes_of, echo, sharing, wss


class Cells(unittest.TestCase):
    def test_a_name_of_an_echo_cell_says_its_load(self):
        cell = echo("50:16Ki:4")
        self.assertEqual((cell.connections, cell.size, cell.in_flight), (50, 16384, 4))
        self.assertEqual(bytes_of("125"), 125)
        self.assertIn("16384", cell.load())

    def test_a_cell_of_wss_is_an_echo_over_tls(self):
        cell = wss("wss:50:16Ki:4")
        self.assertEqual((cell.kind, cell.tls, cell.connections, cell.size, cell.in_flight), ("wss", True, 50, 16384, 4))
        self.assertNotIn("--http2", cell.load())

    def test_a_cell_of_sharing_says_the_protocol_and_how_many_share_a_connection(self):
        cell = sharing("h2:2x50:20:16")
        self.assertEqual((cell.kind, cell.tls, cell.connections, cell.in_flight), ("http2", True, 100, 16))
        self.assertEqual(cell.load()[-3:], ["--http2", "--per-connection", "50"])
        cell = sharing("h2c:100x1:20:1")
        self.assertEqual((cell.kind, cell.tls, cell.connections), ("sharing", False, 100))
        self.assertEqual(cell.load()[-3:], ["--http2", "--per-connection", "1"])
        for name, tls in (("h1:100x1:20:1", True), ("h1c:100x1:20:1", False)):
            cell = sharing(name)
            self.assertEqual((cell.kind, cell.tls, cell.connections), ("sharing", tls, 100))
            self.assertNotIn("--http2", cell.load())

    def test_a_cell_of_sharing_without_messages_is_one_of_memory(self):
        cell = sharing("idle-h2c:50x100")
        self.assertEqual((cell.kind, cell.of_memory, cell.connections, cell.tls), ("sharing-idle", True, 5000, False))
        self.assertEqual(cell.load()[:2], ["--scenario", "idle"])

    def test_names_are_unique(self):
        names = [cell.name for cell in CELLS]
        self.assertEqual(len(names), len(set(names)))


class Options(unittest.TestCase):
    def chosen(self, *arguments):
        options = program.parse(arguments)
        return [cell.name for cell in options.cells], [peer.name for peer in options.peers]

    def test_without_options_there_is_what_finds_its_time(self):
        cells, peers = self.chosen()
        self.assertEqual(cells, [cell.name for cell in CELLS if not cell.only_with_all])
        self.assertLess(len(cells), len(CELLS))
        self.assertIn("kestrel", peers)

    def test_with_all_there_is_everything(self):
        cells, _ = self.chosen("--all")
        self.assertEqual(cells, [cell.name for cell in CELLS])

    def test_what_is_named_needs_no_further_option(self):
        cells, peers = self.chosen("--only", "wss:50:1Ki:1,bun")
        self.assertEqual(cells, ["wss:50:1Ki:1"])
        self.assertEqual(peers, ["windhover", "windhover-again", "bun"])

    def test_a_quick_look_takes_one_cell_over_tls_and_one_over_http2(self):
        cells = program.parse(["--quick"]).cells
        self.assertEqual([cell.name for cell in cells if cell.kind == "wss"], ["wss:50:20:1"])
        self.assertEqual([cell.name for cell in cells if cell.per_connection], ["h2:1x100:20:1"])

    def test_a_quick_look_takes_some_cells_and_measures_memory_once(self):
        options = program.parse(["--quick"])
        self.assertLess(len(options.cells), len(CELLS))
        self.assertEqual([cell.most_rounds for cell in options.cells if cell.kind == "idle"], [1])

    def test_peers_that_are_named_leave_the_cells_alone_and_bring_their_counterparts(self):
        cells, peers = self.chosen("--only", "raw-epoll")
        self.assertEqual(cells, self.chosen()[0])
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
        command = options.peers[-1].command(peers.PLAIN)
        self.assertEqual(command(4711), ["./server", "--port=4711", "--quiet"])

    def test_the_port_comes_last_where_nothing_else_is_said(self):
        options = program.parse(["--peer", "mine=./server"])
        self.assertEqual(options.peers[-1].command(peers.PLAIN)(4711), ["./server", 4711])

    def test_a_server_of_somebody_elses_is_not_asked_over_tls(self):
        mine = program.parse(["--peer", "mine=./server"]).peers[-1]
        self.assertFalse({cell.kind for cell in CELLS if cell.tls or cell.per_connection} & mine.kinds)

    def test_a_server_needs_a_name_of_its_own_and_a_command(self):
        for text in ("mine", "=./server", "mine=", "a b=./server"):
            self.assertIn("is not NAME=COMMAND", self.refused("--peer", text))
        self.assertIn("already", self.refused("--peer", "bun=./server"))


class Processes(unittest.TestCase):
    def command_of(self, name, variant):
        return next(each for each in peers.PEERS if each.name == name).command(variant)(4711)

    def test_cells_over_tls_have_a_process_that_was_given_the_certificate(self):
        for name in ("windhover", "bun", "beast", "ws", "kestrel"):
            each = next(each for each in peers.PEERS if each.name == name)
            self.assertEqual(each.variant(wss("wss:50:20:1")), peers.TLS)
            self.assertEqual(each.variant(echo("50:20:1")), peers.PLAIN)
            self.assertEqual(self.command_of(name, peers.TLS)[-2:], [peers.CERTIFICATE, peers.KEY])
            self.assertNotIn(peers.KEY, self.command_of(name, peers.PLAIN))

    def test_compression_is_a_process_of_its_own_where_it_is_a_switch(self):
        compressed = next(cell for cell in CELLS if cell.kind == "compressed")
        variants = {each.name: each.variant(compressed) for each in peers.PEERS}
        self.assertEqual((variants["bun"], variants["ws"]), (peers.COMPRESSED, peers.PLAIN))
        self.assertEqual(self.command_of("bun", peers.COMPRESSED)[-1], "compressed")


if __name__ == "__main__":
    unittest.main()
