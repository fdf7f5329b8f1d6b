"""Counts the instructions that an echoed message costs, and compares them with the figures that the repository keeps.

usage: guard.py --build BUILD.JSON [--figures FIGURES.JSON] [--update]

BUILD.JSON is what bench/guard/CMakeLists.txt writes. A message is what it was (0), costs more (1), or cannot be compared
here (77, which CTest knows as skipped): without valgrind, or with a compiler, a library or a processor for which there are
no figures yet. --update stores what was counted. docs/adr/0014-instruction-guard.md says why instructions are counted.
"""

import argparse
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
PATH = "/usr/local/bin:/usr/bin:/bin"
ADVICE = "./dev bench --guard --update"

# The octets of a message, and how many messages are under way at a time.
CELLS = ((20, 1), (20, 16), (125, 4), (1024, 1), (16384, 1))

# What is counted is the difference of two runs: start, handshake and end are in both.
FEW, MANY = 4000, 8000

# In per cent. The same sources give the same count each time, so that every decrease is real; but storing each
# of them would be one more thing to do for every change.
LARGEST_GROWTH = 3
NOTABLE_DECREASE = 1


class NotComparable(Exception):
    """There is nothing here to compare, for the reason that this says."""


class CountingFailed(Exception):
    """The program did not do what was to be counted."""


@dataclass(frozen=True)
class Verdict:
    lines: list
    grown: bool
    decreased: bool


def name_of(cell):
    octets, in_flight = cell
    return f"{octets} bytes, {in_flight} in flight"


def judge(stored, counted):
    """The verdict on counted figures, cell -> instructions. A cell without a stored figure counts as grown."""
    lines, grown, decreased = [], False, False
    for cell, now in counted.items():
        before = stored.get(cell)
        if before is None:
            lines.append(f"{cell:24} {'none':>8} {now:8}             no figure is stored")
            grown = True
            continue
        # In whole numbers, as a bound that is met exactly is not exceeded.
        too_much = 100 * now > (100 + LARGEST_GROWTH) * before
        much_less = 100 * now < (100 - NOTABLE_DECREASE) * before
        remark = "  grown" if too_much else "  decreased" if much_less else ""
        lines.append(f"{cell:24} {before:8} {now:8} {100 * (now - before) / before:+8.1f} %{remark}")
        grown |= too_much
        decreased |= much_less
    return Verdict(lines, grown, decreased)


def stored_for(entries, surroundings):
    """The figures for exactly these surroundings, or None."""
    return next((entry["instructions"] for entry in entries if entry["surroundings"] == surroundings), None)


def with_figures(entries, surroundings, counted):
    """The entries with these figures in place of those for the same surroundings, in an order that diffs well."""
    others = [entry for entry in entries if entry["surroundings"] != surroundings]
    return sorted([*others, {"surroundings": surroundings, "instructions": counted}],
                  key=lambda entry: list(entry["surroundings"].values()))


def unknown(entries, surroundings):
    """Why there is nothing to compare, beside what there are figures for."""
    def shown(one):
        return "\n".join(f"    {name}: {value}" for name, value in one.items())

    known = "\n  or for\n".join(shown(entry["surroundings"]) for entry in entries)
    return (f"there are no figures for this compiler, library and processor; '{ADVICE}' stores them.\n"
            f"  This is\n{shown(surroundings)}\n  There are figures for\n{known or '    nothing yet'}")


def collected(output):
    """What callgrind says that it has counted."""
    found = re.search(r"Collected : (\d+)", output)
    if not found:
        raise CountingFailed(f"callgrind has counted nothing:\n{output}")
    return int(found[1])


def run(*command):
    """What a command printed. Valgrind's own settings, those of the library and a preloaded one stay outside."""
    try:
        outcome = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                                 cwd="/", env={"PATH": PATH, "LC_ALL": "C"}, timeout=100)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CountingFailed(str(error)) from error
    if outcome.returncode != 0:
        raise CountingFailed(f"{' '.join(command)}\n{outcome.stdout}")
    return outcome.stdout


def surroundings_of(build):
    """What the figures depend on. The processor is the one that the program sees, which is valgrind's."""
    seen = run("valgrind", "-q", "--tool=none", build["program"])
    said = dict(line.split(":", 1) for line in seen.splitlines() if ":" in line)
    return {
        "architecture": platform.machine(),
        "compiler": build["compiler"],
        "flags": build["flags"],
        "library": said.get("library", "unknown").strip(),
        "processor": said.get("processor", "unknown").strip(),
    }


def instructions(program, messages, cell):
    return collected(run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(messages),
                         *map(str, cell)))


def count(program):
    """cell -> instructions of one message."""
    return {name_of(cell): round((instructions(program, MANY, cell) - instructions(program, FEW, cell)) / (MANY - FEW))
            for cell in CELLS}


def guard(build, figures, update):
    entries = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else []
    if not shutil.which("valgrind", path=PATH):
        raise NotComparable("valgrind is not installed.")
    surroundings = surroundings_of(build)
    stored = stored_for(entries, surroundings)
    if stored is None and not update:
        raise NotComparable(unknown(entries, surroundings))

    counted = count(build["program"])
    verdict = judge(stored or {}, counted)
    print("\n".join(["Instructions of a message  stored  counted", *verdict.lines]))
    if update:
        entries = with_figures(entries, surroundings, counted)
        figures.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
        print(f"Stored in {figures}.")
        return 0
    if verdict.grown:
        print(f"A message costs over {LARGEST_GROWTH} % more instructions than the repository says. When that is the price "
              f"of something worth it, '{ADVICE}' stores the new figures: commit them with the reason.")
        return 1
    if verdict.decreased:
        print(f"note: a message costs fewer instructions than the repository says; '{ADVICE}' keeps what was won.")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --guard")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--figures", type=pathlib.Path, default=HERE / "instructions.json", help=argparse.SUPPRESS)
    parser.add_argument("--update", action="store_true", help="store what was counted")
    arguments = parser.parse_args()
    try:
        return guard(json.loads(arguments.build.read_text(encoding="utf-8")), arguments.figures, arguments.update)
    except NotComparable as reason:
        print(f"note: the instructions of a message were not compared: {reason}")
        return SKIPPED
    except CountingFailed as reason:
        print(f"The instructions of a message could not be counted: {reason}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
