"""Putting loads on servers, round after round, within a limit of time."""

import json
import random
import subprocess
import time
from dataclasses import dataclass, replace

from . import peers, tls
from .cells import CHURN, COMPRESSED, ECHO, HTTP2, OF_MEMORY, WSS, Cell
from .processes import Failure, Server, pinned

TOOL = peers.BUILD / "windhover"
LOGS = peers.BUILD / "comparison"
PATIENCE = 10  # seconds that a load waits for connections, and for what is under way at its end


@dataclass(frozen=True)
class Plan:
    cells: tuple
    peers: tuple
    rounds: int
    limit: float  # seconds, for everything behind the building
    seconds: float  # of each load
    warm_up: float  # likewise, before it is measured


def sample_of(result, kind):
    """What is kept of what `windhover bench` says about one load."""
    if kind in OF_MEMORY:
        return {"memory_bytes": round(result["server"]["resident_bytes_per_connection"], 1)}
    return {"cpu_ns": round(result["server"]["cpu_ns_per_message"], 1), "rate": round(result["rate"]),
            "p99_ns": result["latency_ns"]["p99"], "limited": int(result["generator"]["was_the_limit"])}


def target_of(port, cell):
    """The URL, and whom to trust."""
    if cell.tls:
        return [f"wss://127.0.0.1:{port}{cell.path}", "--authorities", peers.CERTIFICATE]
    return [f"ws://127.0.0.1:{port}{cell.path}"]


class Comparison:
    """Holds the servers that are running. Use it with `with`: its end stops them."""

    def __init__(self, plan, processors, say=print):
        self.plan = plan
        self.server_processor, self.load_processor = processors
        self.say = say
        self.begun = time.monotonic()
        self.servers = {}  # by peer's name and variant
        self.left_out = {}  # names of peers, or of one of their variants, and why
        self.failures = []  # of single cells
        self.engine = ""
        self.agreed = ""  # with every server over TLS
        self.samples = {cell.name: {} for cell in plan.cells}  # cell -> peer -> a sample or None for each round

    def __enter__(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop()

    def present(self, cell=None):
        return [peer for peer in self.plan.peers if peer.name not in self.left_out and (
            cell is None or cell.kind in peer.kinds and name_of(peer, peer.variant(cell)) not in self.left_out)]

    def time_left(self):
        return self.begun + self.plan.limit - time.monotonic()

    # ----- Servers

    def start_server(self, peer, variant):
        name = name_of(peer, variant).replace(" ", "-")
        return Server(name, peer.command(variant), self.server_processor, LOGS / f"{name}.log", peer.environment)

    def server_for(self, peer, cell):
        return self.servers[peer.name, peer.variant(cell)]

    def start_all(self):
        """All at once that the cells need, then each is asked whether it echoes."""
        if any(cell.tls for cell in self.plan.cells):
            self.make_certificate()
        for cell in self.plan.cells:
            for peer in self.present(cell):
                key = peer.name, peer.variant(cell)
                if key not in self.servers:
                    self.servers[key] = self.start_server(peer, peer.variant(cell))
        for peer, variant in self.running():
            try:
                self.servers[peer.name, variant].wait_until_it_listens()
                self.try_out(peer, variant)
            except Failure as failure:
                self.leave_out(peer, variant, str(failure))

    def make_certificate(self):
        try:
            tls.make_certificate(peers.CERTIFICATE, peers.KEY)
        except Failure as failure:
            self.say(f"Nothing is measured over TLS: {failure}")
            self.left_out.update({name_of(peer, peers.TLS): str(failure) for peer in self.present() if WSS in peer.kinds})

    def running(self):
        return [(peer, variant) for peer in self.plan.peers for name, variant in self.servers if name == peer.name]

    def try_out(self, peer, variant):
        server = self.servers[peer.name, variant]
        trials = [Cell("a trial", ECHO, 10, 1000, 2, tls=variant == peers.TLS)]
        if variant == peers.TLS:
            self.agreed = str(tls.check_agreement(server.port, peers.CERTIFICATE))
            if HTTP2 in peer.kinds:
                trials.append(replace(trials[0], per_connection=10))
        for trial in trials:
            self.load(server, trial, 0.2, 0, ["--check"] if peer.checked else [])

    def leave_out(self, peer, variant, why):
        self.left_out[name_of(peer, variant)] = why
        self.say(f"{name_of(peer, variant)} is left out: {why}")
        self.servers.pop((peer.name, variant)).stop()

    def warm_up(self):
        """Servers whose code is compiled while it runs are measured when that has been done."""
        kinds = {cell.kind for cell in self.plan.cells}
        paths = [Cell("small", ECHO, 50, 20, 4), Cell("large", ECHO, 50, 16384, 2), Cell("churn", CHURN, 20),
                 Cell("small", WSS, 50, 20, 4, tls=True), Cell("large", WSS, 50, 16384, 2, tls=True)]
        if COMPRESSED in kinds:
            paths.append(Cell("compressed", COMPRESSED, 50, 1024, 2))
        if HTTP2 in kinds:
            paths.append(Cell("shared", HTTP2, 50, 20, 4, tls=True, per_connection=50))
        for peer, variant in self.running():
            if peer.warm_up == 0:
                continue
            self.say(f"warming up {name_of(peer, variant)}")
            cells = [cell for cell in paths if cell.kind in peer.kinds and peer.variant(cell) == variant]
            try:
                for cell in cells:
                    self.load(self.server_for(peer, cell), cell, peer.warm_up / len(cells), 0)
            except Failure as failure:
                self.leave_out(peer, variant, f"it failed while it was warmed up: {failure}")

    # ----- Loads

    def load(self, server, cell, seconds, warm_up, more=()):
        server.check_alive()
        words = [TOOL, "bench", *target_of(server.port, cell), *cell.load(), "--pid", server.pid, "--json", "-", "--quiet",
                 "--duration", round(seconds, 3), "--warm-up", warm_up, "--patience", PATIENCE, *more]
        try:
            done = subprocess.run(pinned(self.load_processor, words), capture_output=True, text=True, check=False,
                                  timeout=seconds + warm_up + 3 * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the load did not end") from None
        if done.returncode != 0:
            server.check_alive()
            raise Failure(((done.stdout + done.stderr).strip().splitlines() or ["no reason was given"])[-1])
        result = json.loads(done.stdout)
        if not cell.of_memory and result["messages"] == 0:
            raise Failure("nothing came back")
        self.engine = result["engine"]
        return result

    def measure(self, peer, cell):
        if not cell.of_memory:
            return sample_of(self.load(self.server_for(peer, cell), cell, self.plan.seconds, self.plan.warm_up), cell.kind)
        # Memory that other loads have left would be used again: a fresh server, which has seen a few connections, and
        # enough on one of them for its buffers of receiving to have been touched once, which they are whatever comes.
        # Not more at a time than goes through the buffers that all connections share.
        server = self.start_server(peer, peer.variant(cell))
        try:
            server.wait_until_it_listens()
            way = {"tls": cell.tls, "per_connection": cell.per_connection}
            self.load(server, Cell("a few", CHURN, 20, **way), 0.5, 0)
            self.load(server, Cell("one", ECHO, 1, 4096, **way), 0.5, 0)
            return sample_of(self.load(server, cell, 0.5, 0.5), cell.kind)
        finally:
            server.stop()

    def run_cell(self, number, cell):
        """One round of one cell: every server once, in an order that differs from round to round."""
        order = self.present(cell)
        random.Random(f"{number} {cell.name}").shuffle(order)
        shown = {}
        for peer in order:
            series = self.samples[cell.name].setdefault(peer.name, [])
            series += [None] * (number - len(series))
            if len([sample for sample in series if sample is None]) >= 2:
                continue  # it has failed twice
            try:
                sample = self.measure(peer, cell)
                shown[peer.name] = sample
                series.append(sample)
            except Failure as failure:
                series.append(None)
                self.failures.append({"cell": cell.name, "peer": peer.name, "round": number + 1, "why": str(failure)})
                self.say(f"{peer.title}, {cell.name}: {failure}")
        self.say(f"round {number + 1}  {cell.name:15}" + line_of(shown, [peer.name for peer in self.plan.peers]))

    def run(self):
        """Round after round over all cells, as long as the next cell still finds its time. Returns the whole rounds."""
        self.start_all()
        self.warm_up()
        took = {}
        for number in range(self.plan.rounds):
            for cell in self.plan.cells:
                if number >= cell.most_rounds:
                    continue
                if self.time_left() < took.get(cell.name, 1.5 * len(self.present(cell)) * (self.plan.seconds + 0.5)):
                    self.say(f"The time is up in round {number + 1}.")
                    return number
                begins = self.time_left()
                self.run_cell(number, cell)
                took[cell.name] = 1.1 * (begins - self.time_left())
        return self.plan.rounds


def name_of(peer, variant):
    """"bun", "bun tls"."""
    return f"{peer.name} {variant}".rstrip()


def line_of(samples, order):
    """The figure that counts, of each server."""
    def figure(sample):
        if "memory_bytes" in sample:
            return f"{sample['memory_bytes'] / 1024:.2f} KiB"
        return f"{sample['cpu_ns'] / 1000:.2f} us"
    return "".join(f"  {name} {figure(samples[name])}" for name in order if name in samples)
