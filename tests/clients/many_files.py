"""The tutorial's sender in a loop: its server takes file after file on one connection.

python many_files.py HOST PORT PATH...
"""

import json
import os
import socket
import struct
import sys

host, port, *paths = sys.argv[1:]

client = socket.socket()
client.connect((host, int(port)))
for path in paths:
    fields = {"file_name": os.path.basename(path), "file_size": os.path.getsize(path)}
    described = json.dumps(fields).encode("utf-8")
    client.send(struct.pack("i", len(described)))
    client.send(described)
    with open(path, "rb") as file:
        for line in file:
            client.send(line)
