"""./dev bench [--quick|--all] [--only PEER|CELL,...] [--peer NAME=COMMAND] [--rounds N]: see --help."""

import argparse
import datetime
import json
import shlex
import signal
import sys
from dataclasses import replace
from fnmatch import fnmatchcase

from . import machine, peers, report, results
from .cells import CELLS, KINDS
from .processes import Failure, raise_open_file_limit
from .runs import Comparison, Plan

MINUTE = 60
LEAST_PEERS = (peers.SUBJECT, peers.AGAIN)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compares Windhover with other servers, and writes docs/benchmarks.md.",
        epilog="peers: " + ", ".join(peer.name for peer in peers.PEERS) + "\n"
               "cells: " + ", ".join(cell.name for cell in CELLS) + "\n"
               "of these, only with --all or when they are named: "
               + ", ".join(cell.name for cell in CELLS if cell.only_with_all) + "\n"
               "kinds of cells: " + ", ".join(KINDS) + "\n\n"
               "./dev bench --micro [FILTER] measures single pieces instead.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a few cells; ends within 3 minutes, instead of 20")
    size.add_argument("--all", action="store_true", help="more cells, and many rounds; ends within an hour")
    parser.add_argument("--only", metavar="NAME,...", default="",
                        help="peers, cells and kinds of cells, * for any letters; Windhover and itself are always there. "
                             "The report then goes to build/bench/comparison instead of docs")
    parser.add_argument("--peer", metavar="NAME=COMMAND", action="append", default=[],
                        help="one more server, such as mine='./server {port}': it echoes on /ws, and what it gets on "
                             "/broadcast goes to all there. The report then goes to build/bench/comparison too")
    parser.add_argument("--rounds", type=int, metavar="N", help="no more rounds than this")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        options.added = [peers.added(text) for text in options.peer]
        options.cells, options.peers = chosen(options)
    except ValueError as wrong:
        parser.error(str(wrong))
    return options


def chosen(options):
    """(cells, peers) that --quick, --all and --only leave."""
    names = [name for name in options.only.split(",") if name]
    all_peers = (*peers.PEERS, *options.added)
    for name in names:
        known = [each.name for each in (*CELLS, *all_peers)] + list(KINDS)
        if not any(fnmatchcase(each, name) for each in known):
            raise ValueError(f"--only: there is no peer, cell or kind of cells '{name}'")

    def named(*words):
        return any(fnmatchcase(word, name) for word in words for name in names)

    cells = [cell for cell in CELLS if named(cell.name, cell.kind)]
    if not cells:
        cells = [cell for cell in CELLS if (cell.quick or not options.quick) and (options.all or not cell.only_with_all)]
    if options.quick:
        cells = [replace(cell, most_rounds=1) if cell.of_memory else cell for cell in cells]
    some = [peer for peer in all_peers if named(peer.name)] or all_peers
    needed = {*LEAST_PEERS, *(peer.name for peer in some), *(peer.against for peer in some)}
    return cells, [peer for peer in all_peers if peer.name in needed]


def plan_of(options):
    if options.quick:
        return Plan(tuple(options.cells), tuple(options.peers), options.rounds or 5, 2.75 * MINUTE, 0.5, 0.1)
    limit = 58.5 * MINUTE if options.all else 19 * MINUTE
    return Plan(tuple(options.cells), tuple(options.peers), options.rounds or 15, limit, 1.0, 0.2)


def prepared(plan):
    """The peers that are there, and why the others are not."""
    left_out = {}
    for peer in plan.peers:
        try:
            peers.prepare(peer)
        except Failure as failure:
            left_out[peer.name] = str(failure)
            print(f"{peer.title} is left out: {failure}")
    return left_out


def write(document, folder):
    """benchmarks.md in the folder, and everything else in a folder beside it."""
    beside = folder / "benchmarks"
    beside.mkdir(parents=True, exist_ok=True)
    pictures = report.pictures(document)
    for old in beside.glob("*.svg"):
        old.unlink()
    for name, drawing in pictures.items():
        (beside / name).write_text(drawing, encoding="utf-8")
    (beside / "results.json").write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    (folder / "benchmarks.md").write_text(report.markdown(document, pictures, beside.name), encoding="utf-8")
    return folder / "benchmarks.md"


def without_paths(text):
    return text.replace(f"{peers.ROOT}/", "")


def main():
    options = parse(sys.argv[1:])
    # A request to end stops the servers too, also where whoever started us had it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise_open_file_limit()
    plan = plan_of(options)
    processors = machine.processors()
    left_out = prepared(plan)
    date = datetime.date.today().isoformat()
    watch = machine.Watch()
    try:
        with Comparison(plan, processors, say=lambda line: print(line, flush=True)) as comparison:
            comparison.left_out.update(left_out)
            rounds = comparison.run()
    except KeyboardInterrupt:
        print("\nInterrupted: the servers are stopped, and nothing was written.")
        return 130
    if not any(any(series) for samples in comparison.samples.values() for series in samples.values()):
        print("Nothing could be measured.")
        return 1
    facts = {"date": date, "command": shlex.join(["./dev", "bench", *sys.argv[1:]]), "rounds": rounds,
             "seconds": plan.seconds, "engine": comparison.engine, "tls": comparison.agreed, "machine": machine.describe(),
             "disturbance": watch.disturbance()}
    document = results.document(
        facts, plan.cells, [(peer, peers.version_of(peer.name)) for peer in plan.peers], comparison.samples,
        {name: without_paths(why) for name, why in comparison.left_out.items()},
        [{**each, "why": without_paths(each["why"])} for each in comparison.failures])
    folder = peers.BUILD / "comparison" if options.only or options.added else peers.ROOT / "docs"
    written = write(document, folder)
    print(report.summary(results.Results(document)) if results.Results(document).cells("echo") else "")
    print(f"{written.relative_to(peers.ROOT)} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
