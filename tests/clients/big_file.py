"""The tutorial's sender of one big file: a packed length, a JSON header apart from it, the bytes; it never reads.

python big_file.py HOST PORT PATH NAME
"""

import json
import os
import socket
import struct
import sys

host, port, path, name = sys.argv[1:]

client = socket.socket()
client.connect((host, int(port)))
described = json.dumps({"file_name": name, "file_size": os.path.getsize(path)}).encode("utf-8")
client.send(struct.pack("i", len(described)))
client.send(described)
with open(path, "rb") as file:
    for line in file:
        client.send(line)
