"""HTTP: the page for people, messages and files for programs, all behind one guard. (`docs/protocols/http.md`)"""

from bridge.transports.web.archive import ArchiveHandlers
from bridge.transports.web.body import hold
from bridge.transports.web.caller import caller_of
from bridge.transports.web.connection import Connection
from bridge.transports.web.door import Door
from bridge.transports.web.events import EventHandlers
from bridge.transports.web.files import FileHandlers
from bridge.transports.web.form import Forms
from bridge.transports.web.guard import Guard
from bridge.transports.web.lock import Lock
from bridge.transports.web.messages import MessageHandlers
from bridge.transports.web.metrics import MetricHandlers
from bridge.transports.web.openapi import OpenApiHandlers
from bridge.transports.web.page import PageHandlers
from bridge.transports.web.rules import RuleHandlers
from bridge.transports.web.search import SearchHandlers
from bridge.transports.web.thumbnails import ThumbnailHandlers
from bridge.transports.web.tus import TusHandlers
from bridge.transports.web.visitor import is_host
from bridge.transports.web.withdrawals import WithdrawalHandlers

__all__ = [
    "ArchiveHandlers",
    "Connection",
    "Door",
    "EventHandlers",
    "FileHandlers",
    "Forms",
    "Guard",
    "Lock",
    "MessageHandlers",
    "MetricHandlers",
    "OpenApiHandlers",
    "PageHandlers",
    "RuleHandlers",
    "SearchHandlers",
    "ThumbnailHandlers",
    "TusHandlers",
    "WithdrawalHandlers",
    "caller_of",
    "hold",
    "is_host",
]
