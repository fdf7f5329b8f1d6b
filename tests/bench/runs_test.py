"""The rounds: everybody in each of them, as long as there is time, and what fails does not end the rest."""

import unittest

from made_results import cell, peer, sample
from compare.processes import Failure
from compare.peers import CERTIFICATE
from compare.runs import Comparison, Plan, sample_of, target_of


class Staged(Comparison):
    """A comparison without servers, whose loads take one second of a clock that stands still otherwise."""

    def __init__(self, cells, peers, rounds=3, limit=1000.0, failing=()):
        super().__init__(Plan(tuple(map(cell, cells)), tuple(map(peer, peers)), rounds, limit, 1.0, 0.0), (0, 1), self.say)
        self.clock = 0.0
        self.failing = set(failing)
        self.measured = []

    def say(self, _line):
        pass

    def start_all(self):
        pass

    def warm_up(self):
        pass

    def time_left(self):
        return self.plan.limit - self.clock

    def measure(self, peer, cell):
        self.clock += 1
        self.measured.append((cell.name, peer.name))
        if peer.name in self.failing:
            raise Failure("it is meant to")
        return sample(1)


class Rounds(unittest.TestCase):
    def test_in_each_round_every_cell_sees_every_server_once(self):
        staged = Staged(["1:20:1", "churn"], ["windhover", "bun", "ws"])
        self.assertEqual(staged.run(), 3)
        for number in range(3):
            this = staged.measured[number * 6:number * 6 + 6]
            self.assertEqual([name for name, _ in this], ["1:20:1"] * 3 + ["churn"] * 3)
            self.assertEqual(sorted(name for _, name in this[:3]), ["bun", "windhover", "ws"])

    def test_the_order_of_the_servers_differs_and_is_the_same_next_time(self):
        def orders():
            staged = Staged(["churn"], ["windhover", "windhover-again", "bun", "ws", "beast"], rounds=6)
            staged.run()
            names = [name for _, name in staged.measured]
            return [tuple(names[at:at + 5]) for at in range(0, 30, 5)]

        self.assertGreater(len(set(orders())), 1)
        self.assertEqual(orders(), orders())

    def test_a_server_takes_no_part_in_what_it_cannot_do(self):
        staged = Staged(["fan-out:10", "1:20:1"], ["windhover", "raw", "beast"], rounds=1)
        staged.run()
        self.assertEqual(sorted(staged.measured), [("1:20:1", "beast"), ("1:20:1", "raw"), ("1:20:1", "windhover"),
                                                   ("fan-out:10", "windhover")])

    def test_over_http2_and_in_the_cells_beside_it_those_take_part_who_speak_it(self):
        staged = Staged(["h2:1x100:20:1", "h1:100x1:20:1", "wss:50:20:1"], ["windhover", "bun", "libwebsockets", "kestrel"],
                        rounds=1)
        staged.run()
        self.assertEqual(sorted(staged.measured),
                         [("h1:100x1:20:1", "windhover"), ("h2:1x100:20:1", "kestrel"), ("h2:1x100:20:1", "windhover"),
                          ("wss:50:20:1", "bun"), ("wss:50:20:1", "kestrel"), ("wss:50:20:1", "windhover")])

    def test_who_is_left_out_over_tls_stays_in_clear_text(self):
        staged = Staged(["1:20:1", "wss:50:20:1"], ["windhover", "bun"], rounds=1)
        staged.left_out["bun tls"] = "it agrees on less"
        staged.run()
        self.assertEqual(sorted(staged.measured), [("1:20:1", "bun"), ("1:20:1", "windhover"), ("wss:50:20:1", "windhover")])

    def test_who_fails_twice_in_a_cell_is_not_asked_there_again(self):
        staged = Staged(["churn"], ["windhover", "bun"], rounds=5, failing=["bun"])
        staged.run()
        self.assertEqual(staged.measured.count(("churn", "bun")), 2)
        self.assertEqual(staged.measured.count(("churn", "windhover")), 5)
        self.assertEqual([failure["round"] for failure in staged.failures], [1, 2])

    def test_a_round_that_was_missed_keeps_its_place(self):
        staged = Staged(["churn"], ["windhover", "bun"], rounds=2, failing=["bun"])
        staged.run_cell(0, staged.plan.cells[0])
        staged.failing.clear()
        staged.run_cell(1, staged.plan.cells[0])
        self.assertEqual(staged.samples["churn"]["bun"], [None, sample(1)])

    def test_no_cell_begins_that_would_not_end_in_time(self):
        staged = Staged(["1:20:1", "churn"], ["windhover", "bun"], rounds=100, limit=9.0)
        self.assertLess(staged.run(), 100)
        self.assertLessEqual(staged.clock, 9.0)
        self.assertGreaterEqual(staged.clock, 4.0)

    def test_a_load_over_tls_trusts_the_certificate_of_the_run_alone(self):
        self.assertEqual(target_of(4711, cell("wss:50:20:1")), ["wss://127.0.0.1:4711/ws", "--authorities", CERTIFICATE])
        self.assertEqual(target_of(4711, cell("fan-out:10")), ["ws://127.0.0.1:4711/broadcast"])

    def test_memory_is_measured_in_a_few_rounds_only(self):
        staged = Staged(["idle:5000"], ["windhover"], rounds=9)
        staged.run()
        self.assertEqual(len(staged.measured), 2)


class Samples(unittest.TestCase):
    result = {"server": {"cpu_ns_per_message": 1234.56, "resident_bytes_per_connection": 900.04}, "rate": 99.6,
              "latency_ns": {"p99": 5000}, "generator": {"was_the_limit": True}}

    def test_what_is_kept_depends_on_the_load(self):
        self.assertEqual(sample_of(self.result, "echo"), {"cpu_ns": 1234.6, "rate": 100, "p99_ns": 5000, "limited": 1})
        for kind in ("idle", "sharing-idle"):
            self.assertEqual(sample_of(self.result, kind), {"memory_bytes": 900.0})


if __name__ == "__main__":
    unittest.main()
