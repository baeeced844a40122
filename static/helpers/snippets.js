// How a device or a terminal joins this very room: lines to copy, with the address that the reader came by.

/** Where a room's page is, as others may type it: without this visitor's name or place in it. */
export const pageAddress = ({ origin }, room) => `${origin}/r/${encodeURIComponent(room)}`;

/** A name under which every machine finds only itself. */
export const isLoopback = (hostname) => /^(localhost|.*\.localhost|127\..*|\[::1\])$/i.test(hostname);

/** `[{id, lines}]` for a host as the browser names it, its port, and a room; `home`: whoever names no room lands in it. */
export function snippets(location, room, home) {
  const { protocol, hostname, port } = location;
  const number = port || (protocol === "https:" ? 443 : 80);
  const bare = hostname.replace(/^\[(.*)\]$/, "$1"); // programs take an IPv6 address without its brackets
  const url = pageAddress(location, room);
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
