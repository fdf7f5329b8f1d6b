"""The loads under which servers are compared. A cell is one of them."""

import re
from dataclasses import dataclass, replace

ECHO, FAN_OUT, CHURN, IDLE, COMPRESSED = "echo", "fan-out", "churn", "idle", "compressed"
# Over TLS: by HTTP/1.1, and by HTTP/2.
WSS, HTTP2 = "wss", "http2"
# What stands beside those of HTTP/2, so that WebSockets that share a connection are compared with others that do not.
SHARING, SHARING_IDLE = "sharing", "sharing-idle"
KINDS = (ECHO, FAN_OUT, CHURN, IDLE, COMPRESSED, WSS, HTTP2, SHARING, SHARING_IDLE)
OF_MEMORY = frozenset({IDLE, SHARING_IDLE})

PATHS = {FAN_OUT: "/broadcast", COMPRESSED: "/compressed"}


@dataclass(frozen=True)
class Cell:
    name: str
    kind: str
    connections: int  # WebSockets
    size: int = 20
    in_flight: int = 1
    quick: bool = False
    only_with_all: bool = False  # there is no time for it otherwise
    tls: bool = False
    per_connection: int = 0  # WebSockets that share a connection of HTTP/2; 0: HTTP/1.1
    # A fresh server is measured, which takes its time, and what it says hardly differs from round to round.
    most_rounds: int = 1000

    @property
    def path(self):
        return PATHS.get(self.kind, "/ws")

    @property
    def of_memory(self):
        return self.kind in OF_MEMORY

    def load(self):
        """The options of `windhover bench`, but for those of the time."""
        scenario = "idle" if self.of_memory else {FAN_OUT: "broadcast", CHURN: "churn"}.get(self.kind, "echo")
        options = ["--scenario", scenario, "--connections", str(self.connections), "--size", str(self.size),
                   "--in-flight", str(self.in_flight)]
        if self.kind == COMPRESSED:
            options += ["--compress", "--text"]
        if self.per_connection:
            options += ["--http2", "--per-connection", str(self.per_connection)]
        return options


def bytes_of(text):
    """20 of "20", 16384 of "16Ki"."""
    number, kibi = re.fullmatch(r"(\d+)(Ki)?", text).groups()
    return int(number) * (1024 if kibi else 1)


def echo(name, quick=False):
    """A cell of connections:bytes:messages in flight."""
    connections, size, in_flight = name.split(":")
    return Cell(name, ECHO, int(connections), bytes_of(size), int(in_flight), quick)


def wss(name, **more):
    """Likewise, behind "wss:"."""
    return replace(echo(name.removeprefix("wss:")), name=name, kind=WSS, tls=True, **more)


def sharing(name, **more):
    """A cell of protocol:connections x WebSockets on each, and for an echo :bytes:messages in flight. The protocol is h2
    or h1 (HTTP/1.1) over TLS, h2c or h1c in clear text; "idle-" before it: nothing is sent."""
    protocol, arrangement, *of_echo = name.removeprefix("idle-").split(":")
    connections, each = map(int, arrangement.split("x"))
    kind = SHARING_IDLE if not of_echo else HTTP2 if protocol == "h2" else SHARING
    size, in_flight = of_echo or ("20", "1")
    return Cell(name, kind, connections * each, bytes_of(size), int(in_flight), tls=not protocol.endswith("c"),
                per_connection=each if protocol.startswith("h2") else 0, **more)


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
    wss("wss:50:20:1", quick=True),
    wss("wss:500:20:1", only_with_all=True),
    wss("wss:50:1Ki:1", only_with_all=True),
    wss("wss:50:16Ki:1"),
    wss("wss:50:20:16"),
    # Those that are compared with one another stand together, so that little time is between them.
    sharing("h2:1x100:20:1", quick=True),
    sharing("h2:100x1:20:1"),
    sharing("h1:100x1:20:1"),
    sharing("h2:1x100:20:16", only_with_all=True),
    sharing("h2:100x1:20:16", only_with_all=True),
    sharing("h1:100x1:20:16", only_with_all=True),
    sharing("h2c:1x100:20:1"),
    sharing("h2c:100x1:20:1", only_with_all=True),
    sharing("h1c:100x1:20:1"),
    sharing("h2c:1x100:20:16", only_with_all=True),
    sharing("h2c:100x1:20:16", only_with_all=True),
    sharing("h1c:100x1:20:16", only_with_all=True),
    Cell("idle:5000", IDLE, 5000, quick=True, most_rounds=2),
    Cell("idle:15000", IDLE, 15000, most_rounds=2),
    sharing("idle-h2:50x100", most_rounds=1),
    sharing("idle-h2:5000x1", most_rounds=1, only_with_all=True),
    sharing("idle-h1:5000x1", most_rounds=1),
    sharing("idle-h2c:50x100", most_rounds=1),
    sharing("idle-h2c:5000x1", most_rounds=1, only_with_all=True),
    sharing("idle-h1c:5000x1", most_rounds=1),
)
