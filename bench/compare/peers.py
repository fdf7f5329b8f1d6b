"""The servers that are compared: how they are built and started, and what they can do."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field

from .cells import CHURN, COMPRESSED, ECHO, FAN_OUT, HTTP2, IDLE, SHARING, SHARING_IDLE, WSS
from .machine import first_line
from .processes import Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
SOURCES = ROOT / "bench" / "peers"
JAVASCRIPT = SOURCES / "javascript"
KESTREL = BUILD / "kestrel"
KESTREL_SERVER = KESTREL / "bin" / "Kestrel" / "release" / "Windhover.Peers.Kestrel.dll"
BUN = JAVASCRIPT / "node_modules" / ".bin" / "bun"

IN_CLEAR_TEXT = frozenset({ECHO, FAN_OUT, CHURN, IDLE, COMPRESSED})
EVERYTHING = IN_CLEAR_TEXT | {WSS}
NOTHING_TO_PUBLISH_WITH = EVERYTHING - {FAN_OUT}
OURS = EVERYTHING | {HTTP2, SHARING, SHARING_IDLE}

PORT = "{port}"

# The processes that a peer may have at a time.
PLAIN, TLS = "", "tls"

# Made for each run.
CERTIFICATE = BUILD / "comparison" / "certificate.pem"
KEY = BUILD / "comparison" / "key.pem"

SUBJECT = "windhover"
AGAIN = "windhover-again"
ON_EPOLL = "windhover-epoll"


@dataclass(frozen=True)
class Peer:
    name: str
    title: str
    words: tuple  # of the command; the port comes behind them, or where PORT stands
    kinds: frozenset = EVERYTHING
    # Started for compression with another word behind the port, where that is a switch of the whole server.
    compressed_word: str = ""
    # Seconds, for those whose code is compiled while it runs.
    warm_up: float = 0
    # Which of Windhover's servers it is compared with.
    against: str = SUBJECT
    engine: str = ""
    checked: bool = True  # echoes what was sent
    environment: dict = field(default_factory=dict)

    def variant(self, cell):
        """Which of its processes cells like this one need: PLAIN, COMPRESSED or TLS."""
        if cell.tls:
            return TLS
        return COMPRESSED if cell.kind == COMPRESSED and self.compressed_word else PLAIN

    def command(self, variant):
        if PORT in "".join(map(str, self.words)):
            return lambda port: [str(word).replace(PORT, str(port)) for word in self.words]
        behind = [self.engine] if self.engine else []
        behind += {PLAIN: [], COMPRESSED: [self.compressed_word], TLS: [CERTIFICATE, KEY]}[variant]
        return lambda port: [*self.words, port, *behind]


def own(name):
    return (BUILD / "peers" / name,)


PEERS = (
    Peer(SUBJECT, "Windhover", own("windhover"), OURS, engine="auto"),
    Peer(AGAIN, "Windhover again", own("windhover"), OURS, engine="auto"),
    Peer(ON_EPOLL, "Windhover on epoll", own("windhover"), OURS, engine="epoll"),
    Peer("raw", "raw TCP", own("raw_tcp"), frozenset({ECHO}), engine="auto", checked=False),
    Peer("raw-epoll", "raw TCP on epoll", own("raw_tcp"), frozenset({ECHO}), engine="epoll", checked=False,
         against=ON_EPOLL),
    Peer("bun", "Bun", (BUN, JAVASCRIPT / "bun_server.mjs"), compressed_word="compressed", warm_up=2),
    Peer("beast", "Boost.Beast", own("beast"), NOTHING_TO_PUBLISH_WITH),
    Peer("libwebsockets", "libwebsockets", own("libwebsockets"), IN_CLEAR_TEXT),
    Peer("ws", "ws on Node.js", ("node", JAVASCRIPT / "ws_server.mjs"), warm_up=2),
    Peer("kestrel", "Kestrel", ("dotnet", KESTREL_SERVER), NOTHING_TO_PUBLISH_WITH | {HTTP2}, warm_up=10,
         environment={"DOTNET_gcServer": "0"}),
)


def added(text):
    """The peer of "NAME=COMMAND", which is somebody else's server."""
    name, equals, command = text.partition("=")
    words = tuple(shlex.split(command))
    if not equals or not re.fullmatch(r"[\w-]+", name) or not words:
        raise ValueError(f"--peer: '{text}' is not NAME=COMMAND")
    if name in {peer.name for peer in PEERS}:
        raise ValueError(f"--peer: there is a peer '{name}' already")
    return Peer(name, name, words, IN_CLEAR_TEXT - {COMPRESSED})


def run(command, folder=ROOT, **environment):
    done = subprocess.run(list(map(str, command)), cwd=folder, env={**os.environ, **environment}, text=True,
                          capture_output=True, timeout=900, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise Failure(f"{command[0]} failed: {lines[-1].strip()}")


def newer(made, *sources):
    return made.exists() and all(made.stat().st_mtime >= source.stat().st_mtime for source in sources)


def build_kestrel():
    if not shutil.which("dotnet"):
        raise Failure("dotnet is not on PATH")
    if newer(KESTREL_SERVER, SOURCES / "kestrel" / "Kestrel.csproj", SOURCES / "kestrel" / "Program.cs"):
        return
    print("==> Building Kestrel's server", flush=True)
    run(["dotnet", "build", "Kestrel.csproj", "--configuration", "Release", "--artifacts-path", KESTREL,
         "--disable-build-servers", "--nologo", "--verbosity", "quiet"], SOURCES / "kestrel",
        DOTNET_CLI_HOME=str(KESTREL / "home"), DOTNET_CLI_TELEMETRY_OPTOUT="1", DOTNET_NOLOGO="1")


def install_javascript():
    if newer(JAVASCRIPT / "node_modules" / ".package-lock.json", JAVASCRIPT / "package-lock.json"):
        return
    if not shutil.which("npm"):
        raise Failure("npm is not on PATH")
    print("==> Installing Bun and ws from npm", flush=True)
    run(["npm", "ci", "--no-audit", "--no-fund"], JAVASCRIPT)


def prepare(peer):
    """Builds what `./dev` has not built, and says by a Failure why there is no such server here."""
    if peer.name == "kestrel":
        build_kestrel()
    if peer.name in ("bun", "ws"):
        install_javascript()
    if not shutil.which(str(peer.words[0])):
        raise Failure(f"{pathlib.Path(peer.words[0]).name} is not there")
    for word in peer.words[1:]:
        if isinstance(word, pathlib.Path) and not word.exists():
            raise Failure(f"{pathlib.Path(word).name} is not there")


# ----- Versions


def boost_version():
    header = pathlib.Path("/usr/include/boost/version.hpp")
    found = re.search(r'BOOST_LIB_VERSION "([\d_]+)"', header.read_text(encoding="utf-8")) if header.exists() else None
    return found.group(1).replace("_", ".") if found else ""


def aspnet_version():
    try:
        listed = subprocess.run(["dotnet", "--list-runtimes"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    found = re.findall(r"^Microsoft\.AspNetCore\.App (10\.\S+)", listed.stdout, re.MULTILINE)
    return f"ASP.NET Core {found[-1]}" if found else ""


def windhover_version():
    changed = first_line("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", "src",
                         "include")
    commit = first_line("git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD")
    text = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    return f"{text}, commit {commit}{' and changes' if changed else ''}" if commit else text


def ws_version():
    package = JAVASCRIPT / "node_modules" / "ws" / "package.json"
    version = json.loads(package.read_text(encoding="utf-8"))["version"] if package.exists() else ""
    return f"{version} on Node.js {first_line('node', '--version')}"


def version_of(name):
    ways = {SUBJECT: windhover_version, "bun": lambda: first_line(str(BUN), "--version"), "beast": boost_version, "ws": ws_version,
            "libwebsockets": lambda: first_line("pkg-config", "--modversion", "libwebsockets").rstrip("-"),
            "kestrel": aspnet_version}
    return ways[name]() if name in ways else ""
