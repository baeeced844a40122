"""What other hosts' programs ask of a server, all in one go: run in a namespace, it prints how each was answered.

`visits.py BASE NAME=VALUE...` asks as a person's browser, as its script, as curl, by WebSocket, by tus and by form.
Each NAME is a header, or `query`.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import sys
from urllib.parse import urlsplit

BOUNDARY = "b0undary"
FORM = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=file; filename=form.txt\r\n\r\nby form\r\n--{BOUNDARY}--\r\n"
)
VISITS: dict[str, tuple[str, str, dict[str, str], bytes | None]] = {
    "page": ("GET", "/r/lobby", {"Accept": "text/html", "Accept-Language": "en"}, None),
    "script": ("GET", "/r/lobby/entries", {"Accept": "application/json", "Accept-Language": "en"}, None),
    "ws": (
        "GET",
        "/r/lobby/ws",
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        },
        None,
    ),
    "curl -d": ("POST", "/", {"Accept": "*/*"}, b"by curl"),
    "curl -T": ("PUT", "/curl.txt", {"Accept": "*/*"}, b"by curl"),
    "tus": (
        "POST",
        "/r/lobby/uploads",
        {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Content-Type": "application/offset+octet-stream"},
        b"tus",
    ),
    "form": ("POST", "/", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, FORM.encode()),
    "metrics": ("GET", "/metrics", {"Accept": "*/*"}, None),
    "healthz": ("GET", "/healthz", {"Accept": "*/*"}, None),
}


def visit(base: str, name: str, more: dict[str, str]) -> int:
    method, path, headers, body = VISITS[name]
    headers = headers | {header: value for header, value in more.items() if header != "query"}
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, path + more.get("query", ""), body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def main() -> None:
    base, *pairs = sys.argv[1:]
    more = dict(pair.split("=", 1) for pair in pairs)
    print(json.dumps({name: visit(base, name, more) for name in VISITS}))


if __name__ == "__main__":
    main()
