"""HTTP: the page for people, messages and files for programs, all behind one guard. (`docs/protocols/http.md`)"""

from bridge.transports.web.body import hold
from bridge.transports.web.events import EventHandlers
from bridge.transports.web.files import FileHandlers
from bridge.transports.web.guard import Guard, http_logger
from bridge.transports.web.messages import MessageHandlers
from bridge.transports.web.metrics import MetricHandlers
from bridge.transports.web.page import PageHandlers
from bridge.transports.web.search import SearchHandlers

__all__ = [
    "EventHandlers",
    "FileHandlers",
    "Guard",
    "MessageHandlers",
    "MetricHandlers",
    "PageHandlers",
    "SearchHandlers",
    "hold",
    "http_logger",
]
