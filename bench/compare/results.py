"""The results of a comparison: what is written as JSON, and the questions that a report asks about it.

The document holds, for each cell and server, one value for each round, null where there is none. Everything else is
computed from it.
"""

from . import statistics
from .cells import ECHO

FIGURES = ("cpu_ns", "rate", "p99_ns", "limited", "memory_bytes")


def columns_of(samples):
    """[{"rate": 1}, None] as {"rate": [1, None]}."""
    return {figure: [sample[figure] if sample else None for sample in samples]
            for figure in FIGURES if any(sample and figure in sample for sample in samples)}


def document(facts, cells, peers, samples, left_out, failures):
    """`facts` are those that a reader has to know about: date, command, machine, rounds."""
    return {
        "windhover_comparison": 1,
        **facts,
        "peers": [{"name": peer.name, "title": peer.title, "against": peer.against, "version": peer_version}
                  for peer, peer_version in peers],
        "left_out": left_out,
        "failures": failures,
        "cells": [{"name": cell.name, "kind": cell.kind, "connections": cell.connections, "size": cell.size,
                   "in_flight": cell.in_flight, "tls": cell.tls, "per_connection": cell.per_connection,
                   "servers": {peer.name: columns_of(samples[cell.name][peer.name]) for peer, _ in peers
                               if any(samples[cell.name].get(peer.name, []))}}
                  for cell in cells],
    }


class Results:
    """Looks into a document."""

    def __init__(self, read):
        self.read = read
        self.peers = [peer for peer in read["peers"] if any(peer["name"] in cell["servers"] for cell in read["cells"])]
        self.subject = read["peers"][0]["name"]

    def title(self, name):
        return next(peer["title"] for peer in self.read["peers"] if peer["name"] == name)

    def cells(self, *kinds):
        return [cell for cell in self.read["cells"] if cell["kind"] in kinds and cell["servers"]]

    def others(self, cells):
        """The peers that are in one of the cells, but for the one that is compared."""
        return [peer for peer in self.peers
                if peer["name"] != self.subject and any(peer["name"] in cell["servers"] for cell in cells)]

    @staticmethod
    def values(cell, name, figure):
        return cell["servers"].get(name, {}).get(figure, [])

    def middle(self, cell, name, figure):
        return statistics.middle(self.values(cell, name, figure))

    def ratios(self, cell, upper, lower, figure):
        return statistics.ratios(self.values(cell, upper, figure), self.values(cell, lower, figure))

    def ratio(self, cell, upper, lower, figure):
        return statistics.of_one(self.ratios(cell, upper, lower, figure))

    def ratio_of_cells(self, upper, lower, name, figure):
        """One server's ratio between two cells."""
        found = statistics.ratios(self.values(upper, name, figure), self.values(lower, name, figure))
        return statistics.of_one(found)

    def mean(self, upper, lower, figure, kind=ECHO):
        """Over the cells of one kind."""
        return statistics.of_many([self.ratios(cell, upper, lower, figure) for cell in self.cells(kind)])

    def generator_was_the_limit(self, cell, name):
        """In half of the rounds or more."""
        marks = [mark for mark in self.values(cell, name, "limited") if mark is not None]
        return bool(marks) and 2 * sum(marks) >= len(marks)
