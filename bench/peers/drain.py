"""Our UDP socket and the way it is drained, with nobody behind it: what compares with a protocol that only counts."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from bridge.tally import Tally
from bridge.transports.datagram import DatagramTransport


class Counting(DatagramTransport):
    heard = 0

    def _hear(self, data: bytes, peer: Any, host: str) -> None:
        self.heard += 1


async def serve(port: int) -> None:
    sock = socket.socket(type=socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", port))
    nobody = cast(Any, None)
    Counting(nobody, nobody, sock, Tally(), nobody)
    up = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    async with up:
        await up.serve_forever()


asyncio.run(serve(int(sys.argv[1])))
