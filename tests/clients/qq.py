"""The tutorial's "QQ": one message out, one datagram in, over and over; each client says who it is in its words.

python qq.py HOST PORT NUMBER
"""

import socket
import sys

client = socket.socket(type=socket.SOCK_DGRAM)
server = (sys.argv[1], int(sys.argv[2]))
number = sys.argv[3]

while True:
    info = input(">>>:")
    info = f"来自客户端{number}的消息:{info}".encode("utf-8")  # noqa: UP012
    client.sendto(info, server)
    msg, addr = client.recvfrom(1024)
    print(msg.decode("utf-8"), addr)
