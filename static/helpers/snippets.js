// How a device or a terminal joins this very room: lines to copy, with the address that the reader came by.

/** `[{id, lines}]` for a host as the browser names it, its port, and a room; `home`: whoever names no room lands in it. */
export function snippets({ protocol, hostname, port, origin }, room, home) {
  const number = port || (protocol === "https:" ? 443 : 80);
  const bare = hostname.replace(/^\[(.*)\]$/, "$1"); // programs take an IPv6 address without its brackets
  const url = `${origin}/r/${encodeURIComponent(room)}`;
  const enter = home ? "" : `/join ${room}\\n`;
  return [
    { id: "udp", lines: [home ? `nc -u ${bare} ${number}` : `printf '${enter}' | nc -u ${bare} ${number}`] },
    { id: "tcp", lines: [home ? `nc ${bare} ${number}` : `(printf '${enter}'; cat) | nc ${bare} ${number}`] },
    { id: "curl", lines: [`curl -d 'hello' ${url}`] },
    { id: "file", lines: [`curl -T photo.jpg ${url}/`] },
    {
      id: "python",
      lines: [
        "import socket",
        "room = socket.socket(socket.AF_INET" + (bare.includes(":") ? "6" : "") + ", socket.SOCK_DGRAM)",
        ...(home ? [] : [`room.sendto("/join ${room}".encode(), ("${bare}", ${number}))`]),
        `room.sendto("hello".encode(), ("${bare}", ${number}))`,
        "while True:",
        "    print(room.recv(1024).decode(), end=\"\")",
      ],
    },
  ];
}
