"""Installs a build into a folder of its own, then builds and runs a user's project against what was installed.

usage: package_test.py --build FOLDER --compiler COMPILER --cmake CMAKE
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONSUMER = HERE / "consumer"


def run(*command, **options):
    """Runs a command and hands back what it printed; its failure is the test's, with all that it said."""
    outcome = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, check=False, **options)
    if outcome.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{outcome.stdout}")
    return outcome.stdout


class Package(unittest.TestCase):
    arguments: argparse.Namespace

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.arguments.build / "packaging"
        cls.prefix = cls.folder / "prefix"
        shutil.rmtree(cls.folder, ignore_errors=True)
        run(cls.arguments.cmake, "--install", cls.arguments.build, "--prefix", cls.prefix)
        (cls.folder / "wwwroot").mkdir()

    def start_and_stop(self, program):
        """A program that was built right listens, and ends well when it is asked to."""
        with subprocess.Popen([program, "--urls", "http://127.0.0.1:0"], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Application started" in line:
                    process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(), 0, "".join(lines))
            self.assertIn("Now listening on: http://127.0.0.1:", "".join(lines))

    def test_headers_are_the_public_ones(self):
        installed = {path.relative_to(self.prefix) for path in (self.prefix / "include").rglob("*") if path.is_file()}
        public = {path.relative_to(ROOT) for path in (ROOT / "include").rglob("*.hpp")}
        self.assertEqual(installed, public)

    def test_found_by_cmake(self):
        build = self.folder / "by_cmake"
        run(self.arguments.cmake, "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={self.arguments.compiler}", "-DCMAKE_BUILD_TYPE=Release")
        run(self.arguments.cmake, "--build", build)
        self.start_and_stop(build / "consumer")

        symbols = run("nm", "--dynamic", "--defined-only", "--demangle", build / "libplugin.so")
        own = re.findall(r" T (windhover::.*)", symbols)
        self.assertEqual(own, [], "a shared object that links Windhover exports parts of it")

    def test_found_by_pkg_config(self):
        found = next(self.prefix.rglob("windhover.pc")).parent
        environment = {**os.environ, "PKG_CONFIG_PATH": str(found)}
        flags = run("pkg-config", "--cflags", "--libs", "windhover", env=environment).split()
        program = self.folder / "by_pkg_config"
        run(self.arguments.compiler, "-std=c++20", CONSUMER / "main.cpp", "-o", program, *flags)
        self.start_and_stop(program)

    def test_other_minor_version_is_refused(self):
        project = self.folder / "other_version"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(other LANGUAGES CXX)\nfind_package(windhover 0.2 REQUIRED)\n",
            encoding="utf-8")
        with self.assertRaisesRegex(AssertionError, "compatible with requested version"):
            run(self.arguments.cmake, "-S", project, "-B", project / "build", "-G", "Ninja",
                f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={self.arguments.compiler}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--cmake", required=True)
    Package.arguments = parser.parse_args()
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
