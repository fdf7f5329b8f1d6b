"""Debian's python3-websockets against the tool's echo, whose URL is in WINDHOVER_WEBSOCKET_URL.

Run through with_tool.mjs, which starts the tool and looks at how it ended.
"""

import asyncio
import faulthandler
import os
import random
import signal
import unittest

import websockets

URL = os.environ["WINDHOVER_WEBSOCKET_URL"]
SERVER_PROCESS = int(os.environ["WINDHOVER_PID"])
BOUND = float(os.environ.get("WINDHOVER_TEST_BOUND", "120"))  # seconds for one wait; nothing is judged by its time

# The sizes around which the frame's length field changes its form (RFC 6455 section 5.2), and one that no buffer holds.
SIZES = (0, 1, 125, 126, 65535, 65536, 10 * 1024 * 1024)


def binary_of(size):
    return random.Random(size).randbytes(size)


def text_of(size):
    """Text that is `size` bytes long in UTF-8, with characters of one to four bytes."""
    piece = "kestrel T\u00fcrkenfalke \ud669\uc870\ub871\uc774 \U0001f985 "
    whole = piece * (size // len(piece.encode()))
    return whole + "." * (size - len(whole.encode()))


def connect(**options):
    settings = {"max_size": None, "open_timeout": BOUND, "close_timeout": BOUND, "ping_interval": None}
    return websockets.connect(URL, **{**settings, **options})


async def within(awaitable):
    return await asyncio.wait_for(awaitable, BOUND)


class ClientTestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it would report every step that takes 0.1 s


class EchoTests(ClientTestCase):
    async def assert_echoes(self, socket, message):
        await within(socket.send(message))
        await self.assert_receives(socket, message)

    async def assert_receives(self, socket, message):
        echo = await within(socket.recv())
        self.assertIs(type(echo), type(message), "text comes back as text, binary as binary")
        self.assertEqual(len(echo), len(message))
        self.assertTrue(echo == message, "an unchanged echo")  # assertEqual would print 10 MB

    async def test_messages_of_every_size_come_back(self):
        for make in (text_of, binary_of):
            for size in SIZES:
                with self.subTest(make=make.__name__, size=size):
                    async with connect() as socket:
                        await self.assert_echoes(socket, make(size))

    async def test_one_connection_carries_many_messages_in_order(self):
        async with connect() as socket:
            for number in range(1000):
                await within(socket.send(f"message {number}"))
            for number in range(1000):
                self.assertEqual(await within(socket.recv()), f"message {number}")

    async def test_fragments_come_back_whole(self):
        cases = (
            ["Wind", "ho", "ver"],
            ["", "a", "", "b", ""],
            [b"\x00", b"", b"\xff" * 70000],
            [bytes([number % 256]) * 16384 for number in range(640)],
        )
        for fragments in cases:
            with self.subTest(fragments=len(fragments)):
                async with connect() as socket:
                    await within(socket.send(fragments))
                    await self.assert_receives(socket, type(fragments[0])().join(fragments))

    async def test_pings_are_answered_with_their_payload(self):
        async with connect() as socket:
            for payload in (b"", b"bird", binary_of(125)):
                pong = await within(socket.ping(payload))
                await within(pong)

    async def test_a_pong_that_nobody_asked_for_is_ignored(self):
        async with connect() as socket:
            await within(socket.pong(b"still here"))
            await self.assert_echoes(socket, "and well")

    async def test_close_codes_and_reasons_come_back(self):
        for code, reason in ((1000, "done"), (1000, ""), (1001, "going"), (3000, "library"), (4999, "application")):
            with self.subTest(code=code, reason=reason):
                async with connect() as socket:
                    await within(socket.close(code, reason))
                    self.assertEqual((socket.close_code, socket.close_reason), (code, reason))
                    self.assertEqual((socket.close_rcvd.code, socket.close_rcvd.reason), (code, reason))

    async def test_a_wrong_frame_is_answered_with_its_close_code(self):
        for opcode, payload, code in ((1, b"\xff", 1007), (0, b"of nothing", 1002), (8, b"\x03\xed", 1002)):
            with self.subTest(opcode=opcode, payload=payload):
                async with connect() as socket:
                    await within(socket.write_frame(True, opcode, payload))
                    with self.assertRaises(websockets.ConnectionClosedError):
                        await within(socket.recv())
                    self.assertEqual(socket.close_rcvd.code, code)

    async def test_offered_sub_protocols_are_not_selected(self):
        async with connect(subprotocols=["alpha", "bravo"]) as socket:
            self.assertIsNone(socket.subprotocol)
            self.assertNotIn("Sec-WebSocket-Protocol", socket.response_headers)
            await self.assert_echoes(socket, "without a sub-protocol")

    async def test_clients_that_die_without_a_word_do_not_disturb_the_others(self):
        async with connect() as survivor:
            dying = [await connect() for _ in range(50)]
            for number, socket in enumerate(dying):
                await within(socket.send(text_of(number * 1000)))
                socket.transport.abort()
            await within(asyncio.gather(*(socket.wait_closed() for socket in dying)))
            await self.assert_echoes(survivor, "still served")
            async with connect() as newcomer:
                await self.assert_echoes(newcomer, "served as well")

    async def test_a_thousand_connections_at_once_each_get_their_own_echo(self):
        sockets = await within(asyncio.gather(*(connect() for _ in range(1000))))
        await within(asyncio.gather(*(socket.send(f"client {number}") for number, socket in enumerate(sockets))))
        echoes = await within(asyncio.gather(*(socket.recv() for socket in sockets)))
        self.assertEqual(echoes, [f"client {number}" for number in range(1000)])
        await within(asyncio.gather(*(socket.close() for socket in sockets)))
        self.assertEqual({socket.close_code for socket in sockets}, {1000})


class StopTests(ClientTestCase):
    async def test_a_server_that_stops_says_going_away(self):
        async with connect() as first, connect() as second:
            os.kill(SERVER_PROCESS, signal.SIGTERM)
            for socket in (first, second):
                with self.assertRaises(websockets.ConnectionClosedOK):
                    await within(socket.recv())
                self.assertEqual(socket.close_code, 1001)


def load_tests(loader, _tests, _pattern):
    """Stopping the server comes last."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(tests) for tests in (EchoTests, StopTests))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(BOUND * 8, exit=True)
    unittest.main(verbosity=2)
