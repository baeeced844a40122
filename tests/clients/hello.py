"""The tutorial's first datagram: say hello, wait for one answer of at most 1,024 bytes, show it.

python hello.py HOST PORT
"""

import socket
import sys

client = socket.socket(type=socket.SOCK_DGRAM)
server = (sys.argv[1], int(sys.argv[2]))

client.sendto(b"hello server baby!", server)
msg, addr = client.recvfrom(1024)
print(msg, addr)
