"""asyncio's own UDP protocol on the standard loop, doing nothing but count."""

import asyncio
import sys


class Counting(asyncio.DatagramProtocol):
    heard = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard += 1


async def serve(port: int) -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(Counting, ("127.0.0.1", port))
    up = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    async with up:
        await up.serve_forever()


asyncio.run(serve(int(sys.argv[1])))
