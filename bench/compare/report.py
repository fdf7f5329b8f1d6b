"""The report as Markdown, and the pictures in it, from the results alone."""

from . import plots, sharing
from .cells import CHURN, COMPRESSED, ECHO, FAN_OUT, HTTP2, IDLE, SHARING, WSS
from .plots import short
from .results import Results

NOT_QUIET = 0.05  # of the processors' time
ENOUGH_ROUNDS = 5

HOW_TO_READ = """\
Ratios compare two servers within one round, one shortly after the other; a figure is the median over the rounds, and in
brackets stands the interval that holds 95 % of what other rounds would say (bootstrap). **Below 1, Windhover needs less**
of the server's processor, or time. The column *Windhover again* is a second process of the same program: how far it is
from 1 is the noise, and a difference as small as that means nothing. A cell of echoes is named connections : bytes of a
message : messages in flight on each connection.
"""

HOW_IT_IS_MEASURED = """\
`./dev bench` builds the servers, starts them all on one processor, and puts the loads of `windhover bench` on one after
the other from another processor: round after round through all cells, in each cell every server once, in an order that
differs from round to round. A server's processor time is what the kernel says about its threads while the load is
measured. The generator is one thread. Where it had no time left, the server may be able to do more than the rate says
(marked *); processor time for each message does not depend on that.

Every server stands in `bench/peers` and is written as its documentation does it, with what its API has for speed, and
without compression but for the cell that asks for it. The raw TCP echo is no WebSocket server: on Windhover's own
engines it sends the bytes back that come, and only writes over the headers of frames where they lie, so that a client
takes them. Boost.Beast, which writes every message by itself, gets a layer below that gathers writes. libwebsockets
writes every message by itself. Kestrel has a buffer of 64 KiB for each connection, which its idle memory shows, no
server garbage collection, and ten seconds to compile its code in; Bun and ws have two. Bun's server is the uWebSockets
library.

Over TLS each server is a process of its own. All have the same certificate, which is made for the run, and session
tickets as their libraries have them. Each is asked what it agrees on with the generator's offer, and one that agrees on
another version, suite or group than the others is left out. The decisions are in [0013](adr/0013-comparison.md).
"""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def with_interval(found):
    """0.80 (0.78-0.83)"""
    if found is None:
        return ""
    value, low, high = found
    return f"{value:.2f} ({low:.2f}–{high:.2f})"


def percent(share):
    return f"{100 * share:.1f} %"


def grouped(number):
    return f"{number:,.0f}"


def summary(results, kind=ECHO):
    """Over the cells of one kind."""
    cells = results.cells(kind)
    rows = []
    epoll = next((peer["name"] for peer in results.peers if peer["name"].endswith("-epoll")), None)
    for peer in results.others(cells):
        name, against = peer["name"], peer["against"]
        own = results.mean(against, name, "cpu_ns", kind)
        subject = against == results.subject
        title = peer["title"] if subject else f"{peer['title']} (against {results.title(against)})"
        on_epoll = results.mean(epoll, name, "cpu_ns", kind) if epoll and name != epoll and subject else None
        rows.append([title, with_interval(own), with_interval(on_epoll),
                     with_interval(results.mean(against, name, "rate", kind)),
                     with_interval(results.mean(against, name, "p99_ns", kind))])
    head = ["against", "processor time", "the same, Windhover on epoll", "messages a second (above 1: more)",
            "p99 of the latency"]
    return table(head, rows)


def ratio_table(results, cells, figure):
    others = results.others(cells)
    rows = [[cell["name"], *(with_interval(results.ratio(cell, peer["against"], peer["name"], figure)) for peer in others)]
            for cell in cells]
    return table(["", *(peer["title"] for peer in others)], rows)


def figure_table(results, cells, figure, show):
    present = [peer for peer in results.peers if any(peer["name"] in cell["servers"] for cell in cells)]

    def words(cell, name):
        value = results.middle(cell, name, figure)
        return "" if value is None else show(cell, name, value)

    rows = [[cell["name"], *(words(cell, peer["name"]) for peer in present)] for cell in cells]
    return table(["", *(peer["title"] for peer in present)], rows)


def figures(results, cells):
    """Ratios of the processor time, then the plain figures."""
    def rate(cell, name, value):
        return grouped(value) + (" *" if results.generator_was_the_limit(cell, name) else "")

    return "\n".join([
        "Windhover's processor time divided by the other server's:\n",
        ratio_table(results, cells, "cpu_ns"),
        "Microseconds of the server's processor for each:\n",
        figure_table(results, cells, "cpu_ns", lambda cell, name, value: short(value / 1000)),
        "A second (*: the generator had no time left):\n",
        figure_table(results, cells, "rate", rate),
        "p99 of Windhover's latency divided by that of the other server:\n",
        ratio_table(results, cells, "p99_ns"),
        "p99 of the latency, in milliseconds:\n",
        figure_table(results, cells, "p99_ns", lambda cell, name, value: short(value / 1e6))])


def about(read):
    machine = read["machine"]
    kind = "a virtual machine" if machine["virtual"] else "a machine"
    rows = [["date", read["date"]], ["command", f"`{read['command']}`"],
            ["rounds", f"{read['rounds']}, each load {short(read['seconds'])} s"],
            ["machine", f"{kind} with {machine['processors']} x {machine['processor']}, {machine['memory_gib']} GiB"],
            ["other programs", f"{percent(read['disturbance']['others'])} of the processors' time while it was measured; "
                               f"{percent(read['disturbance']['stolen'])} taken by the host"],
            ["kernel", f"Linux {machine['kernel']}"], ["compiler", machine["compiler"]]]
    if read.get("tls"):
        rows.append(["TLS", f"{read['tls']}; agreed on with every server"])
    rows += [[peer["title"], peer["version"]] for peer in read["peers"] if peer["version"]]
    return table(["", ""], rows)


def left_out(read):
    titles = {peer["name"]: peer["title"] for peer in read["peers"]}

    def title(name):
        """Of a peer, or of one of its processes: "bun tls"."""
        peer, _, variant = name.partition(" ")
        return titles.get(peer, peer) + {"": "", "tls": " over TLS"}.get(variant, f", {variant}")

    lines = [f"* {title(name)}: {why}" for name, why in read["left_out"].items()]
    lines += [f"* {titles.get(each['peer'], each['peer'])}, {each['cell']}, round {each['round']}: {each['why']}"
              for each in read["failures"]]
    return "\n".join(lines) + "\n" if lines else ""


def section(title, *parts):
    return "\n".join([f"## {title}\n", *parts])


def markdown(read, pictures, folder):
    """`pictures` names the files in `folder` that were drawn."""
    results = Results(read)

    def image(name, words):
        return f"![{words}]({folder}/{name})\n" if name in pictures else ""

    parts = [f"# Benchmarks\n\nWritten by `./dev bench`, on {read['date']}; the same as numbers: "
             f"[results.json]({folder}/results.json).\n", about(read), HOW_TO_READ]
    if read["disturbance"]["others"] > NOT_QUIET:
        parts.append("**The machine was busy with other things: do not trust these figures.**\n")
    if read["rounds"] < ENOUGH_ROUNDS:
        parts.append(f"**With {read['rounds']} rounds the intervals are too narrow: this was a quick look.**\n")
    if results.cells(ECHO):
        parts.append(section("Echo, all together",
                             "Geometric mean over the echo cells, Windhover divided by the other:\n", summary(results),
                             image("cpu.svg", "processor time of all servers")))
        parts.append(section("Echo", figures(results, results.cells(ECHO)), image("cells.svg", "processor time by cell"),
                             image("latency.svg", "latency by cell")))
    for kind, title, words in (
            (FAN_OUT, "Fan-out", "One message of 125 bytes at a time to so many subscribers; each delivery counts. Only "
                                 "servers that have something to publish with.\n"),
            (CHURN, "Churn", "Connect, one echo, close, on 50 connections at a time; each connection counts.\n"),
            (COMPRESSED, "Compression", "Echo of 1 KB of JSON on 50 connections, permessage-deflate with context takeover "
                                        "in both directions.\n")):
        if results.cells(kind):
            parts.append(section(title, words, figures(results, results.cells(kind))))
    over_tls = results.cells(WSS)
    if over_tls:
        several = ["Geometric mean over these cells alone, Windhover divided by the other:\n", summary(results, WSS)]
        parts.append(section("Echo over TLS", "As the cells of echoes in clear text, over wss and HTTP/1.1.\n",
                             *(several if len(over_tls) > 1 else []), figures(results, over_tls),
                             image("wss.svg", "processor time by cell over TLS")))
    over_http2 = results.cells(HTTP2)
    if over_http2:
        parts.append(section("WebSockets over HTTP/2", sharing.HOW_TO_READ, figures(results, over_http2),
                             image("http2.svg", "processor time of WebSockets that share a connection, and of others")))
    if sharing.rows(results):
        parts.append(section("One connection or a hundred", sharing.ABOUT,
                             table(*sharing.ratio_table(results, with_interval)),
                             "Windhover's figures:\n", table(*sharing.figure_table(results))))
    idle = results.cells(IDLE)
    if idle:
        kibibytes = figure_table(results, idle, "memory_bytes",
                                 lambda cell, name, value: f"{value / 1024:.2f}" if value > 0 else "fell")
        parts.append(section("Idle memory", "KiB of the server's resident memory for each of so many open connections that "
                             "do nothing; a fresh server for each figure. *Fell*: it gave back more than they took.\n", kibibytes,
                             image("memory.svg", "memory of an idle connection")))
    if left_out(read):
        parts.append(section("Left out", left_out(read)))
    parts.append(section("How it is measured", HOW_IT_IS_MEASURED))
    return "\n".join(parts).rstrip() + "\n"


# ----- Pictures

PROCESSOR_TIME = ("cpu_ns", 1e3, "Microseconds of the server's processor for a message")
LATENCY = ("p99_ns", 1e6, "p99 of the latency, in milliseconds")
NAMES_OF_ECHOES = "connections : bytes : in flight; further left is better"


def pictures(read):
    """File names and their contents."""
    results = Results(read)
    drawn = {}
    cells = results.cells(ECHO)
    if cells:
        rows = [plots.Bar(results.title(results.subject), 1, 1, 1, ours=True)]
        for peer in results.others(cells):
            found = results.mean(peer["name"], results.subject, "cpu_ns")
            if found:
                rows.append(plots.Bar(peer["title"], *found, ours=peer["title"].startswith("Windhover")))
        drawn["cpu.svg"] = plots.bars("Server's processor time for an echoed message", "Windhover is 1; geometric mean over "
                                      "the cells; shorter is better", rows)
        drawn["cells.svg"] = dots(results, cells, PROCESSOR_TIME, NAMES_OF_ECHOES)
        drawn["latency.svg"] = dots(results, cells, LATENCY, NAMES_OF_ECHOES)
    if results.cells(WSS):
        drawn["wss.svg"] = dots(results, results.cells(WSS), PROCESSOR_TIME, NAMES_OF_ECHOES)
    if results.cells(HTTP2):
        drawn["http2.svg"] = dots(results, results.cells(HTTP2, SHARING), PROCESSOR_TIME, "connections x WebSockets on each "
                                  ": bytes : in flight; h2, h1: over TLS, h2c, h1c: in clear text; further left is better")
    idle = results.cells(IDLE)
    if idle:
        cell = idle[0]
        rows = []
        for peer in results.peers:
            values = [value / 1024 for value in results.values(cell, peer["name"], "memory_bytes") if value is not None]
            if values:
                rows.append(plots.Bar(peer["title"], sum(values) / len(values), max(min(values), 0), max(values),
                                      ours=peer["title"].startswith("Windhover")))
        drawn["memory.svg"] = plots.bars("Resident memory for an idle connection, in KiB",
                                         f"{grouped(cell['connections'])} connections; shorter is better", rows)
    return drawn


def dots(results, cells, figure, subtitle):
    """A row for each cell. `figure` is (its name, nanoseconds in a unit, its title)."""
    name, unit, title = figure
    series = {peer["title"]: [scaled(results.middle(cell, peer["name"], name), unit) for cell in cells]
              for peer in results.peers}
    series = {title: values for title, values in series.items() if any(values)}
    return plots.dots(title, subtitle, [cell["name"] for cell in cells], series)


def scaled(value, unit):
    return None if value is None else value / unit
