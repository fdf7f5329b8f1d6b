"""The loads under which servers are compared. A cell is one of them."""

import re
from dataclasses import dataclass

ECHO, FAN_OUT, CHURN, IDLE, COMPRESSED = "echo", "fan-out", "churn", "idle", "compressed"
KINDS = (ECHO, FAN_OUT, CHURN, IDLE, COMPRESSED)

PATHS = {ECHO: "/ws", FAN_OUT: "/broadcast", CHURN: "/ws", IDLE: "/ws", COMPRESSED: "/compressed"}


@dataclass(frozen=True)
class Cell:
    name: str
    kind: str
    connections: int
    size: int = 20
    in_flight: int = 1
    quick: bool = False
    # A fresh server is measured, which takes its time, and what it says hardly differs from round to round.
    most_rounds: int = 1000

    @property
    def path(self):
        return PATHS[self.kind]

    def load(self):
        """The options of `windhover bench`, but for those of the time."""
        scenario = {FAN_OUT: "broadcast", CHURN: "churn", IDLE: "idle"}.get(self.kind, "echo")
        options = ["--scenario", scenario, "--connections", str(self.connections), "--size", str(self.size),
                   "--in-flight", str(self.in_flight)]
        if self.kind == COMPRESSED:
            options += ["--compress", "--text"]
        return options


def bytes_of(text):
    """20 of "20", 16384 of "16Ki"."""
    number, kibi = re.fullmatch(r"(\d+)(Ki)?", text).groups()
    return int(number) * (1024 if kibi else 1)


def echo(name, quick=False):
    """A cell of connections:bytes:messages in flight."""
    connections, size, in_flight = name.split(":")
    return Cell(name, ECHO, int(connections), bytes_of(size), int(in_flight), quick)


CELLS = (
    echo("1:20:1"),
    echo("50:20:1", quick=True),
    echo("500:20:1", quick=True),
    echo("5000:20:1"),
    echo("50:1Ki:1"),
    echo("50:16Ki:1", quick=True),
    echo("50:64Ki:1"),
    echo("50:20:16", quick=True),
    echo("500:20:16"),
    echo("50:1Ki:16"),
    echo("500:1Ki:1"),
    echo("50:125:4"),
    Cell("fan-out:10", FAN_OUT, 10, 125),
    Cell("fan-out:1000", FAN_OUT, 1000, 125, quick=True),
    Cell("fan-out:5000", FAN_OUT, 5000, 125),
    Cell("churn", CHURN, 50, quick=True),
    Cell("compressed", COMPRESSED, 50, 1024, quick=True),
    Cell("idle:5000", IDLE, 5000, quick=True, most_rounds=2),
    Cell("idle:15000", IDLE, 15000, most_rounds=2),
)
