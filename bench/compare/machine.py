"""What a reader has to know about the machine, and the processors that are used."""

import os
import pathlib
import platform
import re
import resource
import subprocess
import time


def processors():
    """(the server's, the generator's): two that are not threads of one core, where there are such."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise SystemExit("The comparison needs two processors: one for the server and one for the load.")
    server = available[0]
    siblings = pathlib.Path(f"/sys/devices/system/cpu/cpu{server}/topology/thread_siblings_list")
    text = siblings.read_text(encoding="ascii") if siblings.exists() else str(server)
    together = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        together.update(range(int(first), int(last or first) + 1))
    apart = [each for each in available if each not in together]
    return server, (apart or available)[-1]


def first_line(*command):
    """What a program says about itself; empty where it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.splitlines() or [""])[0].strip() if done.returncode == 0 else ""


def describe():
    information = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    return {
        "processor": model.group(1) if model else platform.machine(),
        "processors": os.cpu_count(),
        "virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", information, re.MULTILINE)),
        "memory_gib": round(int(memory.group(1)) / 2**20) if memory else 0,
        "kernel": platform.release(),
        "compiler": first_line("c++", "--version"),
    }


class Watch:
    """How much of the processors' time went to others since it was made. Children count once they have been waited for."""

    def __init__(self):
        self.begun, self.before = time.monotonic(), self.look()

    @staticmethod
    def look():
        """(seconds of work of all processors, seconds that a host took away, seconds of work of this program and its
        children)"""
        words = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
        user, nice, system, _, _, interrupts, soft, stolen = (int(word) / os.sysconf("SC_CLK_TCK") for word in words[1:9])
        ours = sum(usage.ru_utime + usage.ru_stime
                   for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
        return user + nice + system + interrupts + soft, stolen, ours

    def disturbance(self):
        """Shares of all processors' time."""
        work, stolen, ours = (after - before for after, before in zip(self.look(), self.before))
        whole = (time.monotonic() - self.begun) * os.cpu_count()
        return {"others": round(max(work - ours, 0) / whole, 3), "stolen": round(stolen / whole, 3)}
