"""Debian's python3-websockets as a server for the tool's commands that connect.

Prints its port, and ends with its standard input. What each path does stands in client.test.mjs.
"""

import asyncio
import http
import os
import random
import sys
import urllib.parse

import websockets

BOUND = float(os.environ.get("WINDHOVER_TEST_BOUND", "120"))  # seconds for one wait; nothing is judged by its time
SIZES = (0, 1, 125, 126, 65535, 65536, 10 * 1024 * 1024)


def text_of(size):
    piece = "kestrel T\u00fcrkenfalke \ud669\uc870\ub871\uc774 \U0001f985 "
    whole = piece * (size // len(piece.encode()))
    return whole + "." * (size - len(whole.encode()))


async def within(awaitable):
    return await asyncio.wait_for(awaitable, BOUND)


async def drive(socket):
    """The tool echoes: everything that is sent must come back."""
    async def assert_receives(message):
        echo = await within(socket.recv())
        if type(echo) is not type(message) or echo != message:
            raise AssertionError(f"an echo of {len(message)} is wrong")

    for size in SIZES:
        for message in (text_of(size), random.Random(size).randbytes(size)):
            await within(socket.send(message))
            await assert_receives(message)
    for number in range(1000):
        await within(socket.send(f"message {number}"))
    for number in range(1000):
        await assert_receives(f"message {number}")
    for fragments in (["Wind", "ho", "ver"], ["", "a", "", "b", ""], [b"\x00", b"", b"\xff" * 70000]):
        await within(socket.send(fragments))
        await assert_receives(type(fragments[0])().join(fragments))
    # Sequences of messages that nobody has thought of, in fragments cut anywhere.
    seed = int(os.environ.get("WINDHOVER_SEED", random.randrange(1 << 32)))
    numbers = random.Random(seed)
    for _ in range(300):
        size = numbers.randrange(100_000 if numbers.randrange(4) == 0 else 300)
        message = numbers.randbytes(size) if numbers.randrange(2) == 0 else text_of(size)
        cuts = sorted(numbers.randrange(len(message) + 1) for _ in range(numbers.randrange(4)))
        pieces = [message[start:end] for start, end in zip([0, *cuts], [*cuts, len(message)])]
        await within(socket.send(pieces if cuts else message))
        try:
            await assert_receives(message)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    for payload in (b"", b"bird", bytes(125)):
        await within(await within(socket.ping(payload)))


async def handle(socket):
    path = urllib.parse.urlsplit(socket.path).path
    if path == "/drive":
        try:
            await drive(socket)
        except Exception as error:  # told to the test as a reason
            await socket.close(4999, str(error)[:100])
        else:
            await socket.close(1000, "done")
    elif path == "/echo":
        async for message in socket:
            await socket.send(message)
    elif path == "/binary":
        await socket.send(bytes((0, 0xff, 0x10)))
    elif path == "/seen":
        headers = socket.request_headers
        await socket.send(f"{headers.get('Origin')} {headers.get('X-Test')} {socket.path}")
    elif path == "/close":
        await socket.close(4321, "Gr\u00fc\u00dfe")
    elif path == "/drop":
        await socket.send("speak")
        await within(socket.recv())
        socket.transport.abort()


async def process_request(path, _headers):
    path = urllib.parse.urlsplit(path).path
    if path == "/refuse":
        return http.HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", "Bearer")], b"who are you?"
    if path == "/missing":
        return http.HTTPStatus.NOT_FOUND, [], b"not here"
    return None


async def main():
    options = {"max_size": None, "ping_interval": None, "close_timeout": BOUND, "subprotocols": ["bravo"]}
    async with websockets.serve(handle, "127.0.0.1", 0, process_request=process_request, **options) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
