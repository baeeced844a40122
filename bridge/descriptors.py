"""Descriptors: how many the system lets one process hold, and how they are shared out."""

from __future__ import annotations

import logging
from typing import Final

logger = logging.getLogger("roombridge.descriptors")

KEPT: Final = 256
"""Never given to connections: the log needs some, and so does every file that comes in or goes out."""


def raise_limit() -> None:
    """Ask for as many as an administrator allows. Where that cannot be asked for, what there is must do."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as exc:  # macOS calls its hard limit infinite, and then refuses it
        logger.info("the limit of %d descriptors stays: %s", soft, exc)


def for_connections(wanted: int) -> int:
    """`wanted`, or fewer if the limit leaves fewer: all but 256, or half of what is not even twice that."""
    try:
        import resource
    except ImportError:
        return wanted
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    share = max(limit - KEPT, limit // 2)
    if share < wanted:
        logger.info("at most %d connections of %d wished for: the system allows %d descriptors", share, wanted, limit)
    return min(wanted, share)
