"""Results for the tests of what is made of them, and the way to the modules of bench/compare."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from compare import peers, results  # noqa: E402
from compare.cells import CELLS  # noqa: E402

MACHINE = {"processor": "A Processor", "processors": 2, "virtual": True, "memory_gib": 8, "kernel": "6.1",
           "compiler": "c++ 12"}


def cell(name):
    return next(each for each in CELLS if each.name == name)


def peer(name):
    return next(each for each in peers.PEERS if each.name == name)


def sample(cpu, rate=1000, p99=1_000_000, limited=0):
    return {"cpu_ns": cpu, "rate": rate, "p99_ns": p99, "limited": limited}


def made(samples, left_out=None, failures=(), others=0.0, rounds=5):
    """`samples`: name of a cell -> name of a peer -> one sample or None for each round."""
    names = {name for servers in samples.values() for name in servers} | {"windhover"} | set(left_out or ())
    shown = [each for each in peers.PEERS if each.name in names]
    facts = {"date": "2026-01-31", "command": "./dev bench", "rounds": rounds, "seconds": 1.0, "engine": "io_uring", "tls": "",
             "machine": MACHINE, "disturbance": {"others": others, "stolen": 0.0}}
    return results.document(facts, [cell(name) for name in samples], [(each, "1.0") for each in shown], samples,
                            left_out or {}, list(failures))
