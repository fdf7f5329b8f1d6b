"""Putting loads on servers, round after round, within a limit of time."""

import json
import random
import subprocess
import time
from dataclasses import dataclass

from . import peers
from .cells import CHURN, COMPRESSED, ECHO, IDLE, Cell
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
    if kind == IDLE:
        return {"memory_bytes": round(result["server"]["resident_bytes_per_connection"], 1)}
    return {"cpu_ns": round(result["server"]["cpu_ns_per_message"], 1), "rate": round(result["rate"]),
            "p99_ns": result["latency_ns"]["p99"], "limited": int(result["generator"]["was_the_limit"])}


class Comparison:
    """Holds the servers that are running. Use it with `with`: its end stops them."""

    def __init__(self, plan, processors, say=print):
        self.plan = plan
        self.server_processor, self.load_processor = processors
        self.say = say
        self.begun = time.monotonic()
        self.servers = {}  # by peer's name, and whether it is the one for compression
        self.left_out = {}  # of peers, why
        self.failures = []  # of single cells
        self.engine = ""
        self.samples = {cell.name: {} for cell in plan.cells}  # cell -> peer -> a sample or None for each round

    def __enter__(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop()

    def present(self, cell=None):
        return [peer for peer in self.plan.peers
                if peer.name not in self.left_out and (cell is None or cell.kind in peer.kinds)]

    def time_left(self):
        return self.begun + self.plan.limit - time.monotonic()

    # ----- Servers

    def start_server(self, peer, kind):
        name = f"{peer.name}-{kind}" if peer.separate(kind) else peer.name
        return Server(name, peer.command(kind), self.server_processor, LOGS / f"{name}.log", peer.environment)

    def server_for(self, peer, kind):
        return self.servers[peer.name, peer.separate(kind)]

    def start_all(self):
        """All at once, then each is asked whether it echoes."""
        kinds = [COMPRESSED if COMPRESSED in {cell.kind for cell in self.plan.cells} else ECHO, ECHO]
        for peer in self.present():
            for kind in kinds:
                key = peer.name, peer.separate(kind)
                if key not in self.servers:
                    self.servers[key] = self.start_server(peer, kind)
        for peer in self.present():
            try:
                for key in [key for key in self.servers if key[0] == peer.name]:
                    self.servers[key].wait_until_it_listens()
                self.try_out(peer)
            except Failure as failure:
                self.leave_out(peer, str(failure))

    def try_out(self, peer):
        cell = Cell("a trial", ECHO, 10, 1000, 2)
        self.load(self.server_for(peer, ECHO), cell, 0.2, 0, ["--check"] if peer.checked else [])

    def leave_out(self, peer, why):
        self.left_out[peer.name] = why
        self.say(f"{peer.title} is left out: {why}")
        for key in [key for key in self.servers if key[0] == peer.name]:
            self.servers.pop(key).stop()

    def warm_up(self):
        """Servers whose code is compiled while it runs are measured when that has been done."""
        paths = [Cell("small", ECHO, 50, 20, 4), Cell("large", ECHO, 50, 16384, 2), Cell("churn", CHURN, 20)]
        if any(cell.kind == COMPRESSED for cell in self.plan.cells):
            paths.append(Cell("compressed", COMPRESSED, 50, 1024, 2))
        for peer in self.present():
            if peer.warm_up == 0:
                continue
            self.say(f"warming up {peer.title}")
            try:
                for cell in paths:
                    self.load(self.server_for(peer, cell.kind), cell, peer.warm_up / len(paths), 0)
            except Failure as failure:
                self.leave_out(peer, f"it failed while it was warmed up: {failure}")

    # ----- Loads

    def load(self, server, cell, seconds, warm_up, more=()):
        server.check_alive()
        words = [TOOL, "bench", f"ws://127.0.0.1:{server.port}{cell.path}", *cell.load(), "--pid", server.pid, "--json",
                 "-", "--quiet", "--duration", round(seconds, 3), "--warm-up", warm_up, "--patience", PATIENCE, *more]
        try:
            done = subprocess.run(pinned(self.load_processor, words), capture_output=True, text=True, check=False,
                                  timeout=seconds + warm_up + 3 * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the load did not end") from None
        if done.returncode != 0:
            server.check_alive()
            raise Failure(((done.stdout + done.stderr).strip().splitlines() or ["no reason was given"])[-1])
        result = json.loads(done.stdout)
        if cell.kind != IDLE and result["messages"] == 0:
            raise Failure("nothing came back")
        self.engine = result["engine"]
        return result

    def measure(self, peer, cell):
        if cell.kind != IDLE:
            server = self.server_for(peer, cell.kind)
            return sample_of(self.load(server, cell, self.plan.seconds, self.plan.warm_up), cell.kind)
        # Memory that other loads have left would be used again: a fresh server, which has seen a few connections, and
        # enough on one of them for its buffers of receiving to have been touched once, which they are whatever comes.
        server = self.start_server(peer, IDLE)
        try:
            server.wait_until_it_listens()
            self.load(server, Cell("a few", CHURN, 20), 0.5, 0)
            self.load(server, Cell("one", ECHO, 1, 16384), 0.5, 0)
            return sample_of(self.load(server, cell, 0.5, 0.5), IDLE)
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
        self.say(f"round {number + 1}  {cell.name:13}" + line_of(shown, [peer.name for peer in self.plan.peers]))

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


def line_of(samples, order):
    """The figure that counts, of each server."""
    def figure(sample):
        if "memory_bytes" in sample:
            return f"{sample['memory_bytes'] / 1024:.2f} KiB"
        return f"{sample['cpu_ns'] / 1000:.2f} us"
    return "".join(f"  {name} {figure(samples[name])}" for name in order if name in samples)
