"""What is done to a data folder from outside, while a server may be at work in it."""

from bridge.commands.backup import copy
from bridge.commands.export import told

__all__ = ["copy", "told"]
