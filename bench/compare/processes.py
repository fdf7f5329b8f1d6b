"""Servers as children: pinned, waited for until they listen, and stopped by their number, whatever happens."""

import ctypes
import itertools
import os
import random
import resource
import signal
import socket
import subprocess
import time

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
PATIENCE = 30  # seconds until a server listens
PORTS = itertools.cycle(random.sample(range(16_000, 32_000), 16_000))
LIBRARY = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A server or a load that did not do what it should; the text is for the report."""


def raise_open_file_limit():
    """Each connection is a descriptor. Children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def die_with_parent():
    LIBRARY.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def pinned(processor, command):
    return ["taskset", "--cpu-list", str(processor), *map(str, command)]


def free_port():
    """Below those that the kernel gives to clients, of which a load has thousands; each one once."""
    while True:
        port = next(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def last_line(path):
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


class Server:
    """One running server. `command(port)` gives its words."""

    def __init__(self, name, command, processor, log, environment=None):
        self.name = name
        self.log = log
        self.port = free_port()
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                pinned(processor, command(self.port)), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **(environment or {})}, start_new_session=True, preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self.process.pid

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"it ended with {self.process.returncode}: {last_line(self.log)}")

    def wait_until_it_listens(self):
        ends = time.monotonic() + PATIENCE
        while True:
            self.check_alive()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > ends:
                    raise Failure(f"it did not listen within {PATIENCE} seconds") from None
                time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
