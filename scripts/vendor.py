"""Bring the page's few libraries into the repository, and prove later that nobody touched them.

`vendor.py fetch` asks npm for exact versions, checks each tarball against the hash written below, and writes
one file per library (plus its licence) to `static/vendor/`. `vendor.py check` needs no network: it compares
what lies there with `vendor.lock.json`. The result is committed, so installing roombridge never needs npm.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"
LOCK_NAME = LOCK.name

# Source maps point at files that we do not ship; a browser with open tools would ask for them in vain.
SOURCE_MAP_LINE = re.compile(rb"\n?//# sourceMappingURL=\S+\s*\Z")


class VendorError(Exception):
    """What was found is not what was asked for; the message says which file and what to do."""


@dataclass(frozen=True)
class File:
    """One file out of a package: where it lies there, what we call it, and which imports are rewritten.

    Files end in `.js`, not `.mjs`: every server on the way knows the MIME type of the first.
    """

    source: str
    target: str
    rewrites: dict[str, str]


@dataclass(frozen=True)
class Package:
    """One npm package, pinned by version and by the registry's own sha512."""

    name: str
    version: str
    licence: str
    integrity: str
    files: tuple[File, ...]

    @property
    def licence_file(self) -> str:
        return f"LICENSE.{self.name.removeprefix('@').replace('/', '-')}.txt"


PREACT = {'from"preact"': 'from"./preact.js"'}

# To add a library: one row, `npm view NAME@VERSION dist.integrity`, `vendor.py fetch`, commit.
PACKAGES = (
    Package(
        name="preact",
        version="11.2.0",
        licence="MIT",
        integrity="sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        files=(
            File("dist/preact.mjs", "preact.js", {}),
            File("hooks/dist/hooks.mjs", "preact-hooks.js", PREACT),
        ),
    ),
    Package(
        name="@preact/signals-core",
        version="1.14.5",
        licence="MIT",
        integrity="sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPXE/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
        files=(File("dist/signals-core.mjs", "signals-core.js", {}),),
    ),
    Package(
        name="@preact/signals",
        version="2.11.4",
        licence="MIT",
        integrity="sha512-Rb+5RPo9gWSaHtzJeauhHxiC8KP/IF2DEPkHPEOGOnuy2wnJzRqyeLRankUCYd6ADqtxS6GnWGv6Ie343d8aYw==",
        files=(
            File(
                "dist/signals.mjs",
                "signals.js",
                PREACT
                | {
                    'from"preact/hooks"': 'from"./preact-hooks.js"',
                    'from"@preact/signals-core"': 'from"./signals-core.js"',
                },
            ),
        ),
    ),
    Package(
        name="htm",
        version="3.1.1",
        licence="Apache-2.0",
        integrity="sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        files=(File("dist/htm.mjs", "htm.js", {}),),
    ),
    Package(
        name="marked",
        version="18.2.1",
        licence="MIT",
        integrity="sha512-ii4bxCTCqqwpT86XZWgJNs+ZnAIZksmLGYMViWA7PDIXYIeNo1x6cDdX3JOip9NM/cI6p8z57FxliACboTruMA==",
        files=(File("lib/marked.esm.js", "marked.js", {}),),
    ),
    Package(
        name="lean-qr",
        version="2.7.4",
        licence="MIT",
        integrity="sha512-tlMPFfqhAAZN7+j/djRSvl/2+AYT2+7RRuyq8bvcbV8gMiENiscquQ9WTfCSyeEdxsVaEB+tU7e9nFZC63BFnQ==",
        files=(File("nano.mjs", "lean-qr.js", {}),),
    ),
    Package(
        name="tus-js-client",
        version="4.3.1",
        licence="MIT",
        integrity="sha512-ZLeYmjrkaU1fUsKbIi8JML52uAocjEZtBx4DKjRrqzrZa0O4MYwT6db+oqePlspV+FxXJAyFBc/L5gwUi2OFsg==",
        files=(File("dist/tus.min.js", "tus.js", {}),),  # no module: it makes `window.tus`, and is loaded when needed
    ),
)


def main(arguments: list[str]) -> int:
    """`fetch` or `check`; 0 when all is well, 1 when something differs, 2 when the command is unknown."""
    try:
        match arguments:
            case ["fetch"]:
                fetch()
            case ["check"]:
                check()
            case _:
                print("usage: vendor.py fetch | check", file=sys.stderr)
                return 2
    except VendorError as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 1
    return 0


def fetch() -> None:
    """Download, verify, rewrite and write every file of the table, then the lock."""
    written: dict[str, bytes] = {}
    for package in PACKAGES:
        tarball = download(package)
        written |= unpack(package, tarball)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for stale in set(names_here()) - set(written) - {LOCK_NAME}:
        (VENDOR / stale).unlink()
    for name, data in written.items():
        (VENDOR / name).write_bytes(data)
    LOCK.write_text(json.dumps(lock_of(written), indent=2) + "\n", encoding="utf-8")
    print(f"vendor: wrote {len(written)} files, {sum(map(len, written.values()))} bytes")


def check() -> None:
    """Compare the folder with the lock and the lock with the table; raise VendorError at the first difference."""
    if not LOCK.exists():
        raise VendorError(f"{LOCK_NAME} is missing: run `vendor.py fetch`")
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    pinned = {package.name: {"version": package.version, "integrity": package.integrity} for package in PACKAGES}
    locked = {name: {key: row[key] for key in ("version", "integrity")} for name, row in lock["packages"].items()}
    if pinned != locked:
        raise VendorError(f"the table and {LOCK_NAME} name different packages: run `vendor.py fetch`")
    for name in sorted(set(names_here()) ^ {*lock["files"], LOCK_NAME}):
        raise VendorError(f"{name} is in only one of static/vendor and {LOCK_NAME}")
    for name, digest in lock["files"].items():
        found = hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()
        if found != digest:
            raise VendorError(f"{name} has sha256 {found}, the lock says {digest}: run `vendor.py fetch`")


def download(package: Package) -> bytes:
    """The package's tarball as npm delivers it, its sha512 verified by us and not only by npm."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{package.name}@{package.version}"
        done = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", folder, wanted],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise VendorError(f"npm pack {wanted} failed: {done.stderr.strip()}")
        (tarball,) = Path(folder).iterdir()
        data = tarball.read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != package.integrity:
        raise VendorError(f"{wanted} arrived as {found}, expected {package.integrity}")
    return data


def unpack(package: Package, tarball: bytes) -> dict[str, bytes]:
    """The table's files of one package, rewritten, and its licence, by the name they get here."""
    with tempfile.TemporaryFile() as spool:
        spool.write(tarball)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as archive:

            def member(path: str) -> bytes:
                found = archive.extractfile(f"package/{path}")
                if found is None:
                    raise VendorError(f"{package.name} has no {path}")
                return found.read()

            result = {file.target: rewrite(member(file.source), file) for file in package.files}
            result[package.licence_file] = member("LICENSE")
    return result


def rewrite(data: bytes, file: File) -> bytes:
    """Point bare imports at our files and drop the source-map line; nothing else changes."""
    data = SOURCE_MAP_LINE.sub(b"\n", data)
    for bare, relative in file.rewrites.items():
        if not data.count(bare.encode()):
            raise VendorError(f"{file.target}: {bare} was not found, so the rewrite of it does nothing")
        data = data.replace(bare.encode(), relative.encode())
    left = re.search(rb"""(?:\bfrom|\bimport)\s*["']([^."'][^"']*)["']""", data)
    if left:
        raise VendorError(f"{file.target}: the bare import {left[1].decode()} is not rewritten")
    return data


def names_here() -> list[str]:
    return [path.name for path in VENDOR.iterdir()] if VENDOR.exists() else []


def lock_of(written: dict[str, bytes]) -> dict[str, object]:
    """What `check` compares with: where each package came from, and the sha256 of each file as it lies here."""
    return {
        "packages": {
            package.name: {"version": package.version, "licence": package.licence, "integrity": package.integrity}
            for package in PACKAGES
        },
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(written.items())},
    }


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
