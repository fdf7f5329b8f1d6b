"""Servers as children: they are waited for, and they are gone afterwards."""

import os
import pathlib
import sys
import tempfile
import unittest

import made_results  # noqa: F401
from compare.processes import Failure, Server

LISTENS = "import signal, socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + LISTENS
FAILS = "import sys; sys.exit('there is no such engine')"


class Servers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name) / "log"

    def started(self, program):
        processor = min(os.sched_getaffinity(0))
        server = Server("a server", lambda port: [sys.executable, "-c", program, port], processor, self.log)
        self.addCleanup(server.stop)
        return server

    def test_a_server_that_listens_is_there_until_it_is_stopped(self):
        server = self.started(LISTENS)
        server.wait_until_it_listens()
        server.check_alive()
        self.assertEqual(os.sched_getaffinity(server.pid), {min(os.sched_getaffinity(0))})
        server.stop()
        self.assertIsNotNone(server.process.poll())
        server.stop()

    def test_a_server_that_does_not_want_to_end_is_ended(self):
        server = self.started(STUBBORN)
        server.wait_until_it_listens()
        server.stop()
        self.assertIsNotNone(server.process.poll())

    def test_a_server_that_ends_says_why_in_its_last_words(self):
        with self.assertRaisesRegex(Failure, "ended with 1: there is no such engine"):
            self.started(FAILS).wait_until_it_listens()


if __name__ == "__main__":
    unittest.main()
