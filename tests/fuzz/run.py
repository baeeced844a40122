"""Fuzz some targets, or all, one after the other: `python -m tests.fuzz.run [TARGET ...] --runs N | --seconds S`.

Inputs begin with the stored corpus and grow by whatever reaches new code. What breaks a target is printed as Python
writes bytes, ready to become a line of its corpus.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
INPUT_MAX_BYTES = 4096
RESIDENT_MAX_MIB = 512
STUCK_S = 60
"""For one input, by the clock on the wall; by the processor's it is one second."""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("targets", nargs="*", help="which; all if you do not say")
    asked.add_argument("--runs", type=int, default=-1, help="how many inputs for each")
    asked.add_argument("--seconds", type=int, default=0, help="how long for each")
    asked.add_argument("--seed", type=int, default=0, help="0: another each time")
    options = asked.parse_args()
    targets = options.targets or sorted(path.stem for path in CORPUS.glob("*.txt"))
    broken = [one for one in targets if fuzz(one, options.runs, options.seconds, options.seed).returncode]
    print(f"{len(targets) - len(broken)} targets hold" + f", broken: {' '.join(broken)}" * bool(broken))
    return bool(broken)


def fuzz(
    target: str, runs: int = -1, seconds: int = 0, seed: int = 0, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """One target in a process of its own, which libFuzzer ends in its own way."""
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus(target)):
            Path(folder, f"{number:04}").write_bytes(data)
        limits = (f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={INPUT_MAX_BYTES}")
        safety = (f"-timeout={STUCK_S}", f"-rss_limit_mb={RESIDENT_MAX_MIB}", f"-artifact_prefix={folder}/")
        return subprocess.run(
            [sys.executable, "-m", "tests.fuzz.inside", target, *limits, *safety, folder],
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            errors="replace",
        )


def corpus(target: str) -> list[bytes]:
    """The stored inputs of a target: one a line, as Python writes bytes; # begins a remark."""
    rows = (CORPUS / f"{target}.txt").read_text("utf-8").splitlines()
    return [ast.literal_eval(row) for row in rows if row and not row.startswith("#")]


if __name__ == "__main__":
    sys.exit(main())
