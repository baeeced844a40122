"""What is done to a data folder from outside, while a server may be at work in it."""

from bridge.commands.backup import copy
from bridge.commands.export import told
from bridge.commands.files import listed, prune, verify

__all__ = ["copy", "listed", "prune", "told", "verify"]
