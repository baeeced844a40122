"""What is done with a data folder from outside, while a server may be at work in it."""

from bridge.commands.backup import copy
from bridge.commands.export import told
from bridge.commands.files import listed, prune, verify
from bridge.commands.links import links

__all__ = ["copy", "links", "listed", "prune", "told", "verify"]
