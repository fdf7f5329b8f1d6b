"""Says how many lines of each file of src/ and include/ the tests have reached.

usage: coverage.py BUILD_FOLDER
"""

import collections
import json
import pathlib
import subprocess
import sys


def executed_lines(build_folder, root):
    """file -> line -> how often it was executed, over all translation units."""
    counts = collections.defaultdict(collections.Counter)
    for data in sorted(build_folder.rglob("*.gcda")):
        report = subprocess.run(["gcov", "--json-format", "--stdout", str(data)],
                                capture_output=True, text=True, check=True, cwd=build_folder).stdout
        for unit in filter(None, report.splitlines()):
            for file in json.loads(unit)["files"]:
                path = (build_folder / file["file"]).resolve()
                if not path.is_relative_to(root):
                    continue
                name = path.relative_to(root).as_posix()
                if name.startswith(("src/", "include/")):
                    for line in file["lines"]:
                        counts[name][line["line_number"]] += line["count"]
    return counts


def main():
    build_folder = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(__file__).resolve().parent.parent
    counts = executed_lines(build_folder, root)
    all_lines = all_reached = 0
    for name in sorted(counts):
        lines = counts[name]
        reached = sum(count > 0 for count in lines.values())
        all_lines += len(lines)
        all_reached += reached
        print(f"{100 * reached / len(lines):6.1f} %  {reached:5} of {len(lines):5} lines  {name}")
    if all_lines == 0:
        sys.exit("No test has left a trace.")
    print(f"{100 * all_reached / all_lines:6.1f} %  {all_reached:5} of {all_lines:5} lines  altogether")


if __name__ == "__main__":
    main()
