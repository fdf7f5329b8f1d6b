"""Reads every #include of src/ and include/ and fails where one goes against the arrows between the rooms.

usage: arrows.py ROOMS.json ROOT

ROOMS.json is what the build says about the rooms: which rooms each uses, and which public headers are its own. The rules:

* A room includes itself and what it uses, directly or through others.
* Every public header belongs to exactly one room, and follows that room's arrows.
* A public header includes the standard library and other public headers, nothing else; windhover/json.hpp, which a user asks
  for by name, includes nlohmann-json as well.
* wire is made of pure functions: no socket, no thread, no coroutine.
"""

import json
import pathlib
import re
import sys

from sources import includes_of

PUBLIC = "windhover/"
ALLOWED_THIRD_PARTY = {"include/windhover/json.hpp": "nlohmann/"}
NOT_IN_WIRE = re.compile(
    r"<(coroutine|thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token"
    r"|sys/.*|netinet/.*|arpa/.*|poll\.h|unistd\.h|time\.h|ctime"
    r"|windhover/(task|task_group|when_all|when_any|completion)\.hpp)>")


class House:
    """The rooms as the build declares them."""

    def __init__(self, rooms):
        self.rooms = rooms
        self.owners = {}
        for room, description in rooms.items():
            for header in description["public_headers"]:
                self.owners.setdefault(header, []).append(room)

    def reach(self, room):
        """The room itself and everything that it may include."""
        reached, waiting = set(), [room]
        while waiting:
            current = waiting.pop()
            if current not in reached:
                reached.add(current)
                waiting += self.rooms[current]["uses"]
        return reached


def room_of_include(house, spelling):
    """Which room an #include goes to; None for what is not ours."""
    path = spelling[1:-1]
    if spelling[0] == "<":
        return house.owners.get("include/" + path, [None])[0]
    return path.split("/")[0]


def check_arrow(house, room, spelling):
    """What is wrong with one #include in a file of `room`, or None."""
    path = spelling[1:-1]
    if spelling[0] == "<" and path.startswith(PUBLIC) and "include/" + path not in house.owners:
        return f"{spelling} belongs to no room"
    target = room_of_include(house, spelling)
    if target is not None and target not in house.reach(room):
        return f"{room} must not include {spelling}: {target} is not a room that it uses"
    if room == "wire" and NOT_IN_WIRE.match(spelling):
        return f"wire must not include {spelling}: it is made of pure functions"
    return None


def check_public_include(file, spelling):
    """What is wrong with one #include in a public header, or None."""
    path = spelling[1:-1]
    standard = re.fullmatch(r"[a-z_0-9]+", path) is not None
    third_party = path.startswith(ALLOWED_THIRD_PARTY.get(file, " "))
    if spelling[0] == "<" and (standard or path.startswith(PUBLIC) or third_party):
        return None
    return f"a public header must not include {spelling}"


def problems(house, files):
    """All breaches; `files` is a dictionary from paths below the root to texts."""
    for header, rooms in house.owners.items():
        if len(rooms) > 1:
            yield f"{header}: belongs to {' and '.join(rooms)}"
        if header not in files:
            yield f"{header}: {rooms[0]} declares it, and it does not exist"
    for file, text in files.items():
        is_public = file.startswith("include/")
        if is_public and file not in house.owners:
            yield f"{file}: belongs to no room"
            continue
        room = house.owners[file][0] if is_public else file.split("/")[1]
        if room not in house.rooms:
            yield f"{file}: {room} is not a room of the build"
            continue
        for line, spelling in includes_of(text):
            for problem in (check_arrow(house, room, spelling), is_public and check_public_include(file, spelling)):
                if problem:
                    yield f"{file}:{line}: {problem}"


def main():
    rooms_file, root = map(pathlib.Path, sys.argv[1:])
    house = House(json.loads(rooms_file.read_text(encoding="utf-8")))
    files = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
             for folder in ("src", "include") for path in sorted((root / folder).rglob("*.[ch]pp"))}
    found = list(problems(house, files))
    if found or not files:
        sys.exit("\n".join(found) or "There are no sources.")
    print(f"{len(files)} files follow the arrows.")


if __name__ == "__main__":
    main()
