"""A file server as tutorials write it: a length, a JSON header, then `recv(1024)` until all has come."""

import json
import socket
import struct
import sys
from pathlib import Path

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            opening = connection.recv(4)
            if not opening:
                continue
            (length,) = struct.unpack("i", opening)
            header = json.loads(connection.recv(length))
            received = 0
            with (Path(sys.argv[2]) / "tutorial").open("wb") as file:
                while received < header["file_size"]:
                    data = connection.recv(1024)
                    if not data:
                        break
                    file.write(data)
                    received += len(data)
