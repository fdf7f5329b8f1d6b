"""What WebSockets gain by sharing a connection of HTTP/2: the tables that compare a server's cells with one another."""

from .cells import HTTP2, OF_MEMORY, SHARING, SHARING_IDLE
from .plots import short

HOW_TO_READ = """\
Over TLS, of the servers that have it for WebSockets (RFC 8441). A cell is named h2 : connections x WebSockets on each :
bytes of a message : messages in flight on each WebSocket.
"""

ABOUT = """\
The same WebSockets, all on one connection of HTTP/2, each on one of its own, or each on one of HTTP/1.1: what each server
needs over HTTP/2, divided by what it needs itself over HTTP/1.1 in the same round. **Below 1, HTTP/2 needs less.** What is
under way on one connection comes and leaves together, with fewer system calls and records; a load whose messages come one
at a time would gain less.
"""

# A WebSocket over HTTP/1.1 has its connection for itself. In the order of the columns.
HTTP1, APART, SHARED = "HTTP/1.1", "HTTP/2, a connection each", "HTTP/2, shared connections"
WAYS = (HTTP1, APART, SHARED)


def way_of(cell):
    each = cell["per_connection"]
    return HTTP1 if each == 0 else APART if each == 1 else SHARED


def rows(results):
    """[(what they have in common, {way: cell})], those with HTTP/1.1 and HTTP/2 only."""
    found = {}
    for cell in results.cells(HTTP2, SHARING, SHARING_IDLE):
        transport = "over TLS" if cell["tls"] else "in clear text"
        load = "idle" if cell["kind"] in OF_MEMORY else f"{cell['size']} bytes, {cell['in_flight']} in flight"
        title = f"{cell['connections']:,} WebSockets {transport}, {load}"
        found.setdefault(title, {})[way_of(cell)] = cell
    return [(title, cells) for title, cells in found.items() if HTTP1 in cells and len(cells) > 1]


def is_of_memory(cells):
    return next(iter(cells.values()))["kind"] in OF_MEMORY


def ratio_table(results, show):
    """(head, rows) of the processor time and of the memory."""
    peers = [peer for peer in results.peers
             if any(peer["name"] in cells[HTTP1]["servers"] for _, cells in rows(results))]
    lines = []
    for title, cells in rows(results):
        figure, what = ("memory_bytes", "memory") if is_of_memory(cells) else ("cpu_ns", "processor time")
        for way in (APART, SHARED):
            if way in cells:
                found = [results.ratio_of_cells(cells[way], cells[HTTP1], peer["name"], figure) for peer in peers]
                lines.append([f"{title}: {what}, {way}", *map(show, found)])
    return ["", *(peer["title"] for peer in peers)], lines


def figure_table(results):
    """(head, rows) of the server that is compared."""
    figures = (("cpu_ns", "microseconds of the processor for a message", lambda value: short(value / 1000)),
               ("rate", "messages a second", lambda value: f"{value:,.0f}"),
               ("p99_ns", "p99 of the latency, in milliseconds", lambda value: short(value / 1e6)))
    memory = (("memory_bytes", "KiB for each", lambda value: f"{value / 1024:.2f}" if value > 0 else "fell"),)
    lines = []
    for title, cells in rows(results):
        for figure, words, show in memory if is_of_memory(cells) else figures:
            values = [results.middle(cells[way], results.subject, figure) if way in cells else None for way in WAYS]
            limited = [figure == "rate" and way in cells
                       and results.generator_was_the_limit(cells[way], results.subject) for way in WAYS]
            lines.append([f"{title}: {words}", *("" if value is None else show(value) + " *" * mark
                                                for value, mark in zip(values, limited))])
    return ["", *WAYS], lines
