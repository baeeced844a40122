"""docs/settings.md out of `bridge/config.py`: `settings.py` prints the page, `settings.py --write` puts it there."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.config import ENV_PREFIX, USER_DATA, Config  # noqa: E402 - found by the line above

PAGE = ROOT / "docs" / "settings.md"

ABOVE = """# Settings

Made from `bridge/config.py` by `make docs`; change them there.

A setting comes from its flag, else from the environment, else from a TOML file, else it has its default. The file is
the one named by `--config FILE` (or `ROOMBRIDGE_CONFIG`), else `roombridge.toml` in the folder where the server starts,
else the one in the user's configuration folder (`~/.config/roombridge/roombridge.toml` on Linux). A name in it that is
no setting is an error.

"""

BELOW = """
In the environment, the values of a setting that may be repeated are separated by spaces; in the file they are a list.

```toml
port = 9000
listen = ["127.0.0.1:9001"]
max_file_bytes = 1_000_000_000
```

`roombridge config` shows every setting, its value, and where it came from:

```sh
ROOMBRIDGE_ROOM=class roombridge config --port 9000
```
"""


def page() -> str:
    """The whole page."""
    return ABOVE + "\n".join(rows()) + "\n" + BELOW


def rows() -> list[str]:
    """One row a setting, in the order of the code."""
    rows = ["| flag | environment | in the file | default | is |", "|---|---|---|---|---|"]
    for setting in dataclasses.fields(Config):
        flag = f"--{setting.name.replace('_', '-')} {setting.metadata['metavar']}".rstrip()
        environment = f"`{ENV_PREFIX}{setting.name.upper()}`"
        cells = [f"`{flag}`", environment, f"`{setting.name}`", default(setting.default), setting.metadata["help"]]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def default(value: object) -> str:
    """A default as it is on every machine."""
    if value == USER_DATA:
        return "the user's data folder, `~/.local/share/roombridge` on Linux"
    return f"`{value}`" if value not in ((), "", None) and value is not False else "none"


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif arguments:
        print("usage: settings.py [--write]", file=sys.stderr)
        return 2
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
