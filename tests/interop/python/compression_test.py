"""Debian's python3-websockets with permessage-deflate against the tool's echo, whose URL is in WINDHOVER_WEBSOCKET_URL.

Run through with_tool.mjs, which starts the tool with --compress and looks at how it ended.
"""

import asyncio
import faulthandler
import os
import random
import unittest

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

URL = os.environ["WINDHOVER_WEBSOCKET_URL"]
# Other messages in every run, unless it is given.
SEED = os.environ.get("WINDHOVER_SEED") or str(random.SystemRandom().randrange(2**32))
BOUND = float(os.environ.get("WINDHOVER_TEST_BOUND", "120"))  # seconds for one wait; nothing is judged by its time

# server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits
PARAMETERS = (
    (False, False, None, None),
    (False, False, None, True),
    (True, False, None, True),
    (False, True, None, True),
    (True, True, 9, 9),
    (False, False, 9, 9),
    (False, False, 12, 15),
    (False, False, 15, 12),
    (True, False, 15, 15),
)


def message_of(rng):
    size = rng.randrange(100_000) if rng.randrange(4) == 0 else rng.randrange(600)
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(size)
    if kind == 1:
        return "".join(rng.choice("kestrel \ud669\uc870\ub871\uc774 \U0001f985") for _ in range(size // 2))
    return "" if kind == 2 and size % 2 else "{\"name\":\"kestrel\",\"wings\":2}" * (size // 30)


async def within(awaitable):
    return await asyncio.wait_for(awaitable, BOUND)


class CompressionTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it would report every step that takes 0.1 s

    # Without parameters nothing is offered.
    def connect(self, parameters):
        offers = None if parameters is None else [ClientPerMessageDeflateFactory(*parameters)]
        return websockets.connect(
            URL, compression=None, extensions=offers, max_size=None, open_timeout=BOUND, close_timeout=BOUND,
            ping_interval=None,
        )

    async def assert_receives(self, socket, message):
        echo = await within(socket.recv())
        self.assertIs(type(echo), type(message), "text comes back as text, binary as binary")
        self.assertTrue(echo == message, "an unchanged echo")

    async def assert_random_messages_come_back(self, socket, which):
        rng = random.Random(f"{SEED} {which}")
        messages = [message_of(rng) for _ in range(150)]

        async def send():
            for message in messages:
                await socket.send(message)

        sending = asyncio.create_task(send())
        for message in messages:
            await self.assert_receives(socket, message)
        await within(sending)

    async def test_random_messages_come_back_with_every_parameter(self):
        for parameters in PARAMETERS:
            with self.subTest(parameters=parameters):
                async with self.connect(parameters) as socket:
                    (agreed,) = socket.extensions
                    self.assertEqual(agreed.name, "permessage-deflate")
                    if parameters[0]:
                        self.assertTrue(agreed.remote_no_context_takeover)
                    if parameters[2]:
                        self.assertLessEqual(agreed.remote_max_window_bits, parameters[2])
                    await self.assert_random_messages_come_back(socket, str(parameters))

    async def test_random_messages_come_back_without_compression(self):
        async with self.connect(None) as socket:
            self.assertEqual(list(socket.extensions), [])
            await self.assert_random_messages_come_back(socket, "plain")

    async def test_fragments_come_back_whole(self):
        async with self.connect((False, False, None, None)) as socket:
            pieces = ["kestrel ", "", "kestrel ", "\ud669\uc870\ub871\uc774"] * 20
            await within(socket.send(pieces))
            await self.assert_receives(socket, "".join(pieces))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(BOUND * 8, exit=True)
    print(f"the messages follow from WINDHOVER_SEED={SEED}", flush=True)
    unittest.main(verbosity=2)
