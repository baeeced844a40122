"""What may enter the log: the one gate for texts, names, rooms, keys and file names, whichever way they came.

Each `clean_*` takes what a peer sent and returns what is stored, or raises `Refused` and says why. All are idempotent:
what came out once comes out unchanged again. (`docs/protocols/entries.md`)
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from bridge.model import Code, Draft, Refused, Rule

TEXT_MAX_BYTES = 16 * 1024
NAME_MAX_CHARS = 32
ROOM_MAX_CHARS = 64
KEY_MAX_CHARS = 64
TOPIC_MAX_CHARS = 200
PIN_MIN_CHARS = 4
PIN_MAX_CHARS = 32
FILE_NAME_MAX_BYTES = 200

SEQ_MAX = 2**63 - 1

# Cc control, Cf format, Cs surrogate, Zl and Zp line and paragraph separators
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

# Category Cc but tab and newline; a pattern, because this is asked of every message.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TOKEN_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# What vanishes from a file name. ZWJ and ZWNJ stay: Persian and emoji need them.
_FILE_NAME_DROPPED = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_FILE_NAME_REPLACED = re.compile(r'[<>:"|?*]')
_DRIVE = re.compile(r"^[A-Za-z]:")
# Device names that Windows reserves whatever the extension, superscript digits included.
_RESERVED_STEM = re.compile(r"^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])$", re.IGNORECASE)


def check(draft: Draft) -> Draft:
    """The gate itself: every draft passes here on its way into the log, and nothing else needs to.

    Raises `Refused`. A text comes out clean; rooms, names and files come in clean, and are looked at once more, because
    one record that no encoder takes would stop every reader of its room.
    """
    clean_key(draft.key)
    _check_clean(draft.room, draft.sender.name)
    if draft.withdraws is not None and not 1 <= draft.withdraws <= SEQ_MAX:  # beyond 63 bits no engine has a number
        raise Refused("not_found", "there is no entry of this number here")
    if draft.rule is not None:
        _check_rule(draft.rule)
    if draft.text is None:
        if draft.file and clean_file_name(draft.file.name) != draft.file.name:
            raise Refused("bad_request", f"file name {ascii(draft.file.name)[:64]} is not as the gate makes it")
        return draft
    text = clean_text(draft.text)
    if text == draft.text:
        return draft
    return msgspec.structs.replace(draft, text=text)


@lru_cache(4096)  # everybody speaks more than once
def _check_clean(room: str, name: str) -> None:
    if clean_room(room) != room:
        raise Refused("bad_room", f"room name {ascii(room)[:64]} is not as the gate makes it")
    if clean_name(name) != name:
        raise Refused("bad_name", f"name {ascii(name)[:64]} is not as the gate makes it")


def _check_rule(rule: Rule) -> None:
    if clean_topic(rule.topic or "") != (rule.topic or ""):
        raise Refused("bad_text", f"topic {ascii(rule.topic)[:64]} is not as the gate makes it")
    for peer in (rule.mute, rule.unmute, rule.rename, rule.remove):
        if peer is not None:
            clean_name(peer.name)
    if rule.name:
        clean_name(rule.name)


def clean_text(text: str) -> str:
    """A message: at most 16 KiB of UTF-8, not empty, no control characters but tab and newline."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    size = len(encodable(text, "bad_text", "text"))
    if size > TEXT_MAX_BYTES:
        raise Refused("too_long", f"text of {size} bytes, at most {TEXT_MAX_BYTES} (send it as a file)")
    if not text or text.isspace():
        raise Refused("empty", "an empty text")
    if control := _CONTROL.search(text):
        raise Refused("bad_text", f"text holds the control character U+{ord(control[0]):04X}")
    return text


def clean_topic(topic: str) -> str:
    """What a room is about, in one line: at most 200 characters, "" for nothing."""
    encodable(topic, "bad_text", "topic")
    topic = unicodedata.normalize("NFC", " ".join(topic.split()))
    if len(topic) > TOPIC_MAX_CHARS:
        raise Refused("too_long", f"topic of {len(topic)} characters, at most {TOPIC_MAX_CHARS}")
    if control := _CONTROL.search(topic):
        raise Refused("bad_text", f"topic holds the control character U+{ord(control[0]):04X}")
    return topic


def clean_name(name: str) -> str:
    """A peer's name: NFC, 1 to 32 characters, nothing unseen, no square brackets."""
    encodable(name, "bad_name", "name")
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= NAME_MAX_CHARS:
        raise Refused("bad_name", f"name of {len(name)} characters, expected 1 to {NAME_MAX_CHARS}")
    for char in name:
        if char in "[]" or unicodedata.category(char) in _UNSEEN:
            raise Refused("bad_name", f"name holds U+{ord(char):04X}; brackets and unseen characters are not allowed")
    return name


def clean_room(name: str) -> str:
    """A room's name: NFC, 1 to 64 letters, digits, `-` and `_` of any script."""
    encodable(name, "bad_room", "room")
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= ROOM_MAX_CHARS:
        raise Refused("bad_room", f"room name of {len(name)} characters, expected 1 to {ROOM_MAX_CHARS}")
    for char in name:
        # Marks (M*) are part of letters in Hindi, Thai and others.
        if char not in "-_" and unicodedata.category(char)[0] not in "LMN":
            raise Refused("bad_room", f"room name holds {char!r}; letters, digits, - and _ are allowed")
    return name


def clean_key(key: str) -> str:
    """The author's own name for a draft: 1 to 64 characters."""
    return _clean_token(key, "key")


def clean_client(client: str) -> str:
    """The secret by which a client names itself as an author: 1 to 64 characters."""
    return _clean_token(client, "client")


def _clean_token(token: str, what: str) -> str:
    encodable(token, "bad_request", what)
    if not 1 <= len(token) <= KEY_MAX_CHARS:
        raise Refused("bad_request", f"{what} of {len(token)} characters, expected 1 to {KEY_MAX_CHARS}")
    if control := _TOKEN_CONTROL.search(token):
        raise Refused("bad_request", f"{what} holds the control character U+{ord(control[0]):04X}")
    return token


def clean_file_name(name: str) -> str:
    """A file's name as data that is safe to show and to save: never refused, never empty, never a path.

    The last component only, NFC, unseen characters dropped, what Windows forbids replaced, at most 200 bytes of UTF-8
    with the extension kept. (`docs/protocols/files.md`)
    """
    name = name.encode("utf-8", "ignore").decode()
    while (cleaned := _clean_file_name_once(name)) != name:  # dropping one thing can bare the next
        name = cleaned
    return name


def _clean_file_name_once(name: str) -> str:
    name = _DRIVE.sub("", name.replace("\\", "/")).rsplit("/", 1)[-1]
    name = unicodedata.normalize("NFC", name)
    name = "".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp"))
    name = _FILE_NAME_REPLACED.sub("_", _FILE_NAME_DROPPED.sub("", name))
    name = name.strip().rstrip(". ")
    stem, dot, rest = name.partition(".")
    if _RESERVED_STEM.match(stem.rstrip()):
        name = f"{stem.rstrip()}_{dot}{rest}"
    return _shortened(name) if name not in ("", ".", "..") else "file"


def _shortened(name: str) -> str:
    if len(name.encode()) <= FILE_NAME_MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = (dot + extension).encode()
    if not stem or len(tail) > 32:  # that is no extension
        stem, tail = name, b""
    head = stem.encode()[: FILE_NAME_MAX_BYTES - len(tail)].decode("utf-8", "ignore")
    return head.rstrip() + tail.decode()


def clean_pin(pin: str) -> str:
    """What opens a room: 4 to 32 characters without spaces."""
    encodable(pin, "bad_request", "PIN")
    if not PIN_MIN_CHARS <= len(pin) <= PIN_MAX_CHARS or not pin.isprintable() or " " in pin:
        raise Refused("bad_request", f"a PIN has {PIN_MIN_CHARS} to {PIN_MAX_CHARS} characters, and no spaces")
    return pin


def clean_sha256(digest: str) -> str:
    """A SHA-256 in hex, in lower case."""
    if not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise Refused("bad_request", f"sha256={digest[:70]!r}, expected 64 hex digits")
    return digest.lower()


def clean_number(value: str, what: str, lowest: int) -> int:
    """A whole number from a query, at least `lowest`; no cursor or limit is beyond 63 bits."""
    if not re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII) or not lowest <= int(value) <= SEQ_MAX:
        raise Refused("bad_request", f"{what}={value[:32]!r}, expected a whole number from {lowest}")
    return int(value)


def encodable(text: str, code: Code, what: str) -> bytes:
    """The UTF-8 of `text`; a lone surrogate, which no encoder takes, is refused here and nowhere else."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refused(code, f"{what} holds a lone surrogate, which is no character") from None
