"""One target under atheris, which is libFuzzer for Python; the arguments are libFuzzer's. (`run.py` calls it.)"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

INPUT_S = 1.0
"""Of processor time, for one input: a loaded machine is nobody's bug."""
WARM_RUNS = 500
GROWTH_MAX_BYTES = 64 * 1024 * 1024
"""How much memory may grow once all is warm; what libFuzzer keeps of its own is in it."""


def main(name: str, *arguments: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["bridge", "tests.fuzz.targets"]):
        from tests.fuzz.targets import TARGETS

    atheris.Setup([sys.argv[0], *arguments], watched(TARGETS[name]))
    atheris.Fuzz()  # which ends the process


def watched(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, with an eye on what it raises, on the time that an input takes, and on memory."""
    runs = warm_bytes = 0

    def once(data: bytes) -> None:
        nonlocal runs, warm_bytes
        started = time.process_time()
        try:
            target(data)
        except BaseException:
            print(f"broken by\n{data!r}", file=sys.stderr, flush=True)
            raise
        spent = time.process_time() - started
        assert spent <= INPUT_S, f"{spent:.2f} s for\n{data!r}"
        runs += 1
        if runs % WARM_RUNS == 0:
            held = resident_bytes()
            warm_bytes = warm_bytes or held
            assert held - warm_bytes <= GROWTH_MAX_BYTES, f"{held - warm_bytes} bytes more after {runs} inputs"

    return once


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(*sys.argv[1:])
