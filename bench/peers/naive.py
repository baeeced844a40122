"""aiohttp as its documentation broadcasts: a set of sockets, and a loop of `send_str`."""

import sys

from aiohttp import WSMsgType, web

clients: set[web.WebSocketResponse] = set()


async def serve(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    clients.add(socket)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for client in list(clients):
                    await client.send_str(message.data)
    finally:
        clients.discard(socket)
    return socket


app = web.Application()
app.router.add_get("/", serve)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
