"""The tutorial's proof that datagrams do not stick together: three in a row, and not a pause between them.

python three_hellos.py HOST PORT
"""

import socket
import sys

client = socket.socket(type=socket.SOCK_DGRAM)
server = (sys.argv[1], int(sys.argv[2]))

client.sendto(b"hello", server)
client.sendto(b"hello", server)
client.sendto(b"hello", server)
