"""The guard itself, checked on counts that are made up: what grows fails, what decreases is said, strangers are skipped."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import guard

HERE = {"architecture": "x86_64", "compiler": "GNU 12.2.0", "flags": "-O3", "library": "glibc 2.36", "processor": "avx2"}
ELSEWHERE = {**HERE, "processor": "sse4.2"}


class Judging(unittest.TestCase):
    def test_what_has_not_changed_passes(self):
        verdict = guard.judge({"a": 1000, "b": 2000}, {"a": 1000, "b": 2000})
        self.assertFalse(verdict.grown or verdict.decreased)
        self.assertEqual(len(verdict.lines), 2)

    def test_a_growth_of_three_per_cent_is_the_last_that_passes(self):
        self.assertFalse(guard.judge({"a": 1000}, {"a": 1030}).grown)
        self.assertTrue(guard.judge({"a": 1000}, {"a": 1031}).grown)

    def test_what_one_cell_won_does_not_make_up_for_another(self):
        verdict = guard.judge({"a": 1000, "b": 1000}, {"a": 500, "b": 1100})
        self.assertTrue(verdict.grown)
        self.assertIn("decreased", verdict.lines[0])
        self.assertIn("grown", verdict.lines[1])

    def test_a_decrease_is_notable_from_one_per_cent_on(self):
        self.assertFalse(guard.judge({"a": 1000}, {"a": 990}).decreased)
        self.assertTrue(guard.judge({"a": 1000}, {"a": 989}).decreased)

    def test_a_cell_without_a_figure_does_not_pass(self):
        self.assertTrue(guard.judge({"a": 1000}, {"a": 1000, "b": 1}).grown)


class Reading(unittest.TestCase):
    def test_finds_the_total_of_callgrind(self):
        self.assertEqual(guard.collected("==7== Events    : Ir\n==7== Collected : 33560764\n"), 33560764)

    def test_no_total_is_an_error_and_not_zero(self):
        with self.assertRaises(guard.CountingFailed):
            guard.collected("==7== Events    : Ir\n")

    def test_a_program_that_fails_is_an_error_with_all_that_it_said(self):
        with self.assertRaisesRegex(guard.CountingFailed, "nothing comes"):
            guard.run("/bin/sh", "-c", "echo nothing comes; exit 1")

    def test_a_message_costs_what_two_runs_differ_by(self):
        with mock.patch.object(guard, "instructions", lambda _, messages, cell: 5_000_000 + messages * cell[0]):
            self.assertEqual(guard.count("echo"), {guard.name_of(cell): cell[0] for cell in guard.CELLS})


class Guarding(unittest.TestCase):
    """From what was counted to what is said and stored."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.figures = self.folder / "figures.json"

    def guard(self, *options, counted, surroundings=HERE, valgrind="/usr/bin/valgrind"):
        """The exit code and what was printed, where a message of the cell `a` costs this much."""
        build = self.folder / "build.json"
        build.write_text(json.dumps({"program": "echo"}), encoding="utf-8")
        said = io.StringIO()
        with mock.patch.object(guard, "surroundings_of", lambda _: surroundings), \
                mock.patch.object(guard, "count", lambda _: {"a": counted}), \
                mock.patch.object(guard.shutil, "which", lambda *_, **__: valgrind), \
                mock.patch("sys.argv", ["guard.py", "--build", str(build), "--figures", str(self.figures), *options]), \
                contextlib.redirect_stdout(said):
            return guard.main(), said.getvalue()

    def test_stored_once_it_watches_from_then_on(self):
        self.assertEqual(self.guard("--update", counted=1000)[0], 0)
        self.assertEqual(self.guard(counted=1030)[0], 0)
        code, said = self.guard(counted=1031)
        self.assertEqual(code, 1)
        self.assertIn("--update", said)

    def test_a_decrease_passes_with_the_advice_to_store_it(self):
        self.guard("--update", counted=1000)
        code, said = self.guard(counted=900)
        self.assertEqual(code, 0)
        self.assertRegex(said, r"(?m)^note: .*--update")

    def test_an_update_stores_growth_too(self):
        self.guard("--update", counted=1000)
        self.assertEqual(self.guard("--update", counted=2000)[0], 0)
        self.assertEqual(self.guard(counted=2000)[0], 0)

    def test_what_is_unknown_is_skipped_and_says_what_is_known(self):
        self.guard("--update", counted=1000)
        code, said = self.guard(counted=9000, surroundings=ELSEWHERE)
        self.assertEqual(code, guard.SKIPPED)
        self.assertRegex(said, r"(?m)^note: .*no figures.*--update")
        self.assertIn("processor: sse4.2", said)
        self.assertIn("processor: avx2", said)

    def test_every_surrounding_has_figures_of_its_own(self):
        self.guard("--update", counted=1000)
        self.guard("--update", counted=2000, surroundings=ELSEWHERE)
        self.assertEqual(self.guard(counted=2000)[0], 1)
        self.assertEqual(self.guard(counted=2000, surroundings=ELSEWHERE)[0], 0)

    def test_the_order_of_updates_does_not_show(self):
        written = []
        for order in ((HERE, ELSEWHERE), (ELSEWHERE, HERE)):
            self.figures.unlink(missing_ok=True)
            for surroundings in order:
                self.guard("--update", counted=1000, surroundings=surroundings)
            written.append(self.figures.read_text(encoding="utf-8"))
        self.assertEqual(written[0], written[1])

    def test_without_valgrind_nothing_is_compared_or_stored(self):
        code, said = self.guard("--update", counted=1000, valgrind=None)
        self.assertEqual(code, guard.SKIPPED)
        self.assertRegex(said, r"(?m)^note: .*valgrind is not installed")
        self.assertFalse(self.figures.exists())


class Figures(unittest.TestCase):
    def test_what_is_stored_is_what_is_counted(self):
        """Otherwise a cell that was renamed would only be missed on the machine that counts."""
        entries = json.loads((guard.HERE / "instructions.json").read_text(encoding="utf-8"))
        self.assertTrue(entries)
        for entry in entries:
            self.assertEqual(list(entry["instructions"]), [guard.name_of(cell) for cell in guard.CELLS])


if __name__ == "__main__":
    unittest.main()
