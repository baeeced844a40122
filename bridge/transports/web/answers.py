"""What went wrong, said in HTTP: a problem document, or one plain line for `curl`."""

from __future__ import annotations

from http.client import responses
from math import ceil
from typing import Final

import msgspec
from aiohttp import web

from bridge.model import Code, Entry, Refused
from bridge.transports.web.caller import origin

STATUS: Final[dict[Code, int]] = {
    "bad_request": 400,
    "bad_text": 400,
    "bad_name": 400,
    "bad_room": 400,
    "empty": 400,
    "too_long": 413,
    "too_large": 413,
    "rate_limited": 429,
    "disk_full": 507,
    "busy": 503,
    "forbidden": 403,
    "not_found": 404,
    "unsupported": 415,
}
_CODE: Final[dict[int, Code]] = {
    401: "forbidden",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    415: "unsupported",
    421: "forbidden",
    423: "busy",
    500: "busy",
    503: "busy",
}
RETRY_AFTER_S: Final = 1.0


class Later(Refused):
    """A limit of one address was reached; `seconds` tells when it is worth asking again."""

    def __init__(self, message: str, seconds: float = RETRY_AFTER_S) -> None:
        super().__init__("rate_limited", message)
        self.seconds = seconds


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457's document, with our word for it."""

    type: str
    title: str
    status: int
    detail: str
    code: Code


def problem(
    request: web.BaseRequest, code: Code, message: str, status: int | None = None, after: float = RETRY_AFTER_S
) -> web.Response:
    """An RFC 9457 problem document with our `code`; a plain line for a client that accepts anything."""
    status = status or STATUS[code]
    headers = {"Retry-After": str(ceil(after))} if status in (429, 503) else None
    if request.headers.get("Accept", "*/*").strip() == "*/*":
        return web.Response(status=status, text=f"{code}: {message}\n", headers=headers)
    document = Problem("about:blank", responses.get(status, message), status, message, code)
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/problem+json", headers=headers
    )


def code_for(status: int) -> Code:
    """Our word for a status that aiohttp chose."""
    return _CODE.get(status, "bad_request")


def wants_json(request: web.BaseRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def file_url(request: web.BaseRequest, entry: Entry) -> str:
    """A file's whole URL, by the name under which the request reached us."""
    return f"{origin(request)}{entry.file.url if entry.file else ''}"


def json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value) + b"\n", content_type="application/json")
