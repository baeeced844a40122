"""Every bench, one after the other; what they found goes into `bench/README.md`.

`python bench/all.py [--print]` (`--print`: only show it)
"""

from __future__ import annotations

import subprocess
import sys
import time

import stand

BENCHES = ("fanout", "datagrams", "append", "ingest", "download", "beside", "startup")
README = stand.HERE / "README.md"
MARK = "<!-- what `make bench` found last -->\n"


def main() -> None:
    began = time.monotonic()
    parts = [f"{stand.machine()}; server on core {stand.SERVER_CORE}, load on core {stand.LOAD_CORE}."]
    for name in BENCHES:
        print(f"{name} ...", file=sys.stderr)
        parts.append(
            subprocess.run(
                [sys.executable, stand.HERE / f"{name}.py"], check=True, stdout=subprocess.PIPE, text=True
            ).stdout.strip()
        )
        print(parts[-1], end="\n\n", flush=True)
    parts.append(f"All of it took {time.monotonic() - began:.0f} s.")
    if "--print" not in sys.argv:
        before, _, _ = README.read_text().partition(MARK)
        README.write_text(before + MARK + "\n" + "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
