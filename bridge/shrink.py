"""One picture made small, in a program of its own: whatever a picture does to it, the server lives on.

It stands alone and imports nothing of the house. Paths come in as lines of JSON; for each a length in four bytes and a
WebP picture go out, or a 0 when none could be made. It may write no file, and take no more memory and time than is said
here: what goes beyond kills it, and another is started. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from io import BytesIO

from PIL import Image, ImageOps

SIDE = 800
"""Neither side is longer: what a card shows, at two pixels a point."""
PIXELS_MAX = 50_000_000
"""So many are unpacked at most, 200 MB; a photograph of 200 megapixels still can be read at an eighth of its size."""
MEMORY_BYTES = 1024**3
CPU_S = 10
FILES_MAX = 32
NICENESS = 10
QUALITY = 80
PROFILE_MAX_BYTES = 16 * 1024
"""What a screen's colours take; a longer one would outweigh the picture."""
# Only these decoders are ever asked. Of a moving picture the first frame is taken.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")

Image.MAX_IMAGE_PIXELS = None  # Pillow would ask before `draft`, and we ask after it


def main() -> None:
    _fence()
    out = sys.stdout.buffer
    out.write(b"\n")  # ready
    out.flush()
    for line in sys.stdin.buffer:
        _breathe()
        made = _made(json.loads(line))
        out.write(struct.pack(">I", len(made)) + made)
        out.flush()


def shrunk(path: str) -> bytes:
    """The picture there as WebP, upright, with no word of who took it and where. Raises what Pillow raises."""
    with Image.open(path, formats=FORMATS) as image:
        image.draft(None, (2 * SIDE, 2 * SIDE))  # JPEG can be unpacked at a half, a quarter, an eighth
        if image.width * image.height > PIXELS_MAX:
            raise ValueError(f"{image.width} x {image.height} pixels, at most {PIXELS_MAX}")
        small = _plain(image)
        small.thumbnail((SIDE, SIDE), reducing_gap=2.0)
        small = ImageOps.exif_transpose(small)
        out = BytesIO()
        profile = image.info.get("icc_profile", b"")
        small.save(out, "WEBP", quality=QUALITY, icc_profile=profile if len(profile) <= PROFILE_MAX_BYTES else b"")
        return out.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """Red, green and blue, with transparency where there is some: what can be scaled, and what WebP has."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda level: level / 256, "L")
    if image.mode == "CMYK":
        image.info.pop("icc_profile", None)  # it speaks of inks
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _made(path: str) -> bytes:
    try:
        return shrunk(path)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error):
        return b""  # SyntaxError is what Pillow calls a broken PNG


def _fence() -> None:
    """Before the first picture: no file to write, so much memory, and everybody else first."""
    if os.name == "posix":
        import resource

        for what, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, FILES_MAX),
        ):
            resource.setrlimit(what, (most, most))
        os.nice(NICENESS)


def _breathe() -> None:
    """So much processor time from here; then the kernel ends it."""
    if os.name == "posix":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_S, hard))


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    main()
