"""What each route takes and answers, said once as data, from which the OpenAPI document is made.

A type here is a struct of ours or anything else msgspec has a schema for; a dict is a schema already.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from bridge.model import Entry, Ruling
from bridge.transports.web.messages import LIMIT_DEFAULT, LIMIT_MAX, EntriesPage, RoomLine
from bridge.transports.web.page import RoomAbout
from bridge.transports.web.search import FoundPage
from bridge.wire.rule import Wish
from bridge.wire.tus import CONTENT_TYPE

Types = dict[str, Any]
"""Media types, each with what is in it."""


class Parameter(NamedTuple):
    """`type` is a value's, as a reader of the document may send it."""

    where: str
    type: Any
    help: str


class Operation(NamedTuple):
    """What one method of one path does: `answers` by status, beside what any route refuses."""

    help: str
    answers: dict[int, Types]
    parameters: tuple[str, ...] = ()
    body: Types | None = None
    refuses: tuple[int, ...] = ()


Place = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Secret = Annotated[str, Meta(min_length=1, max_length=64)]

PATH: Final = {
    "room": Parameter("path", Annotated[str, Meta(min_length=1, max_length=64)], "letters, digits, - and _"),
    "name": Parameter("path", str, "a file's name, for people"),
    "id": Parameter("path", str, "a file's id, which decides"),
    "seq": Parameter("path", Annotated[int, Meta(ge=1, le=2**63 - 1)], "an entry's number"),
    "token": Parameter("path", Annotated[str, Meta(min_length=1)], "the token, as a link carries it"),
    "path": Parameter("path", str, "a part of the page"),
}
PARAMETERS: Final = {
    "after": Parameter("query", Place, "only entries with a higher number"),
    "before": Parameter("query", Place, "only entries with a lower number"),
    "from": Parameter("query", str, "only what the peer of this id, or of this name, sent"),
    "limit": Parameter("query", Annotated[int, Meta(ge=1)], f"{LIMIT_DEFAULT} if absent, at most {LIMIT_MAX}"),
    "q": Parameter("query", Annotated[str, Meta(max_length=200)], "words, each by its beginning"),
    "type": Parameter("query", Literal["file"], "only files; then q may be absent"),
    "start": Parameter("query", Annotated[int, Meta(ge=-1, le=2**63 - 1)], "behind which entry to start"),
    "epoch": Parameter("query", str, "the log to which `after` belongs"),
    "name": Parameter("query", str, "the name to go by"),
    "client": Parameter("query", Secret, "a secret that names the author"),
    "X-Name": Parameter("header", Annotated[str, Meta(min_length=1, max_length=32)], "the name to speak under"),
    "X-Key": Parameter("header", Secret, "the author's own name for what is sent"),
    "X-Client": Parameter("header", Secret, "a secret that names the author"),
    "X-Pin": Parameter("header", str, "what opens a room that has a PIN"),
    "X-Filename": Parameter("header", str, "the file's name, if the path has none"),
    "X-Sha256": Parameter("header", str, "the file's digest in hex: other bytes are refused"),
    "Last-Event-ID": Parameter("header", str, "EPOCH:SEQ, the last event that was seen"),
    "Range": Parameter("header", str, "the bytes that are wanted"),
    "If-None-Match": Parameter("header", str, "the digest that is held already"),
    "If-Match": Parameter("header", str, "the digest that is expected"),
    "id": Parameter("query", str, "only this file; may be repeated"),
    "Tus-Resumable": Parameter("header", str, "1.0.0"),
    "Upload-Length": Parameter("header", Place, "how many bytes will come"),
    "Upload-Offset": Parameter("header", Place, "at which byte this request begins"),
    "Upload-Metadata": Parameter("header", str, "`key base64,...`: filename, name, sha256"),
    "Upload-Checksum": Parameter("header", str, "`sha1 base64` or `sha256 base64`, of this request's bytes"),
    "X-HTTP-Method-Override": Parameter("header", str, "HEAD, PATCH or DELETE"),
}

SPEAKER: Final = ("X-Name", "X-Key", "X-Client")
TAKING: Final = (408, 413, 417, 503, 507)
"""What a body may be refused for."""
ANYTHING: Final[dict[str, Any]] = {}
WITHDRAWN: Final[dict[int, Types]] = {200: {"application/json": Entry}}
LINK: Final = {"text/plain": str}

_FORM: Final = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "a message"},
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}

_PASS: Final = {
    "type": "object",
    "properties": {"token": {"type": "string"}, "to": {"type": "string", "description": "a path of ours"}},
}

POST: Final = Operation(
    "Say something: the raw body is a message, the files of a form are files",
    {status: {"application/json": Entry | list[Entry], **LINK} for status in (201, 200)},
    SPEAKER,
    {"text/plain": str, "application/octet-stream": ANYTHING, "multipart/form-data": _FORM},
    TAKING,
)
PUT: Final = Operation(
    "Put a file in: the body is its bytes",
    {status: {**LINK, "application/json": Entry} for status in (201, 200)},
    (*SPEAKER, "X-Filename", "X-Sha256"),
    {"application/octet-stream": ANYTHING},
    TAKING,
)
TUS: Final = ("Tus-Resumable", "X-Client")
_BYTES: Final[Types] = {CONTENT_TYPE: ANYTHING}
_GONE: Final = (404, 409, 412)

OPERATIONS: Final = {
    ("GET", "/"): Operation("To the default room's page", {302: {}}),
    ("POST", "/"): POST,
    ("PUT", "/"): PUT,
    ("PUT", "/{name}"): PUT,
    ("GET", "/rooms"): Operation("The rooms that have entries", {200: {"application/json": list[RoomLine]}}),
    ("GET", "/r/{room}"): Operation(
        "The room's page, or by Accept its description", {200: {"text/html": str, "application/json": RoomAbout}}
    ),
    ("POST", "/r/{room}"): POST,
    ("PUT", "/r/{room}"): Operation("A slash is missing", {404: {}}),
    ("PUT", "/r/{room}/"): PUT,
    ("PUT", "/r/{room}/{name}"): PUT,
    ("GET", "/r/{room}/entries"): Operation(
        "Entries, ascending", {200: {"application/json": EntriesPage}}, ("after", "before", "limit", "from")
    ),
    ("GET", "/r/{room}/search"): Operation(
        "Entries that say all these words, ascending, each with its hits",
        {200: {"application/json": FoundPage}},
        ("q", "before", "limit", "type"),
        refuses=(413, 503),
    ),
    ("GET", "/r/{room}/rules"): Operation("How the room is ruled", {200: {"application/json": Ruling}}),
    ("POST", "/r/{room}/rules"): Operation(
        "A host lays down a rule: one thing at a time",
        {status: {"application/json": Entry} for status in (201, 200)},
        SPEAKER,
        {"application/json": Wish},
        (404, *TAKING),
    ),
    ("DELETE", "/r/{room}/entries/{seq}"): Operation(
        "Its author takes back what it said, or a host does", WITHDRAWN, SPEAKER, refuses=(404, 503, 507)
    ),
    ("GET", "/r/{room}/events"): Operation(
        "The room as it speaks: one entry or signal in each event or line",
        {200: {"application/x-ndjson": str, "text/event-stream": str}},
        ("start", "epoch", "Last-Event-ID", "X-Name", "X-Client"),
    ),
    ("GET", "/r/{room}/ws"): Operation(
        "A WebSocket; every object in its frames is an entry or a signal",
        {101: {}},
        ("start", "epoch", "name", "client"),
        refuses=(426,),
    ),
    ("OPTIONS", "/r/{room}/uploads"): Operation("What can be done with uploads", {204: {}}),
    ("POST", "/r/{room}/uploads"): Operation(
        "Begin an upload that may stop and go on (tus), or send it at once",
        {201: {}},
        (*TUS, "X-Name", "X-Key", "Upload-Length", "Upload-Metadata", "Upload-Checksum"),
        _BYTES,
        (412, 460, *TAKING),
    ),
    ("OPTIONS", "/r/{room}/uploads/{id}"): Operation("What can be done with uploads", {204: {}}),
    ("HEAD", "/r/{room}/uploads/{id}"): Operation("How far an upload came", {200: {}}, TUS, refuses=(404, 412)),
    ("PATCH", "/r/{room}/uploads/{id}"): Operation(
        "Go on with an upload",
        {204: {}},
        (*TUS, "Upload-Offset", "Upload-Checksum"),
        _BYTES,
        (*_GONE, 423, 460, *TAKING),
    ),
    ("DELETE", "/r/{room}/uploads/{id}"): Operation("Take an upload back", {204: {}}, TUS, refuses=_GONE),
    ("POST", "/r/{room}/uploads/{id}"): Operation(
        "What the header says, where a network lets no other method through",
        {200: {}, 204: {}},
        (*TUS, "X-HTTP-Method-Override", "Upload-Offset", "Upload-Checksum"),
        _BYTES,
        (*_GONE, 405, 423, 460, *TAKING),
    ),
    ("PUT", "/r/{room}/uploads/{id}"): Operation("An upload is patched, not put", {405: {}}),
    ("GET", "/r/{room}/files.zip"): Operation(
        "The room's files as one archive", {200: {"application/zip": ANYTHING}}, ("id",), refuses=(404,)
    ),
    ("GET", "/files/{id}/{name}"): Operation(
        "A file's bytes",
        {200: {"*/*": ANYTHING}, 206: {"*/*": ANYTHING}, 304: {}, 412: {}, 416: {}},
        ("Range", "If-None-Match", "If-Match"),
        refuses=(404,),
    ),
    ("DELETE", "/files/{id}/{name}"): Operation(
        "Its author takes a file back, or a host does", WITHDRAWN, SPEAKER, refuses=(404, 503, 507)
    ),
    ("GET", "/j/{token}"): Operation("In by a link: a cookie, and to the room", {303: {}}),
    ("POST", "/j"): Operation(
        "In by the form that strangers get: a cookie, and to where they wanted to go",
        {303: {}},
        body={"application/x-www-form-urlencoded": _PASS},
        refuses=(408, 413, 417),
    ),
    ("GET", "/thumbs/{id}"): Operation(
        "A picture made small", {200: {"image/webp": ANYTHING}, 304: {}}, ("If-None-Match",), refuses=(404, 503)
    ),
    ("GET", "/static/{path}"): Operation("A part of the page", {200: {"*/*": ANYTHING}}, refuses=(404,)),
    ("GET", "/favicon.ico"): Operation("To the page's icon", {302: {}}),
    ("GET", "/healthz"): Operation("Whether the server answers", {200: {"text/plain": str}}),
    ("GET", "/metrics"): Operation(
        "Its numbers, for Prometheus", {200: {"text/plain": str, "application/openmetrics-text": str}}
    ),
    ("GET", "/openapi.json"): Operation("This document", {200: {"application/json": dict[str, msgspec.Raw]}}),
}
