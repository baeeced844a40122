"""One room for browsers and sockets."""

__version__ = "0.1.0"
