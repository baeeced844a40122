"""Our server without what it promises of a file, neither hashed nor synced: what the way in costs by itself."""

import os
import runpy
import sys
from types import SimpleNamespace


class Unhashed:
    """Has the manners of a hash, and looks at nothing."""

    def update(self, data: bytes) -> None:
        pass

    def hexdigest(self) -> str:
        return "0" * 64


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    from bridge.store import files

    files.hashlib = SimpleNamespace(sha256=Unhashed)
    files._begin_to_write = lambda fd, start, stop: None
    os.fsync = lambda fd: None
    runpy.run_module("bridge", run_name="__main__")
