"""Pictures as cameras, phones and enemies make them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image

TURNED = 6
"""What a camera writes that was held upright: the picture is to be turned by a quarter."""


def picture(form: str = "PNG", size: tuple[int, int] = (1600, 1000), mode: str = "RGB", **more: object) -> bytes:
    out = BytesIO()
    Image.new(mode, size, more.pop("color", 0)).save(out, form, **more)
    return out.getvalue()


def photograph(size: tuple[int, int] = (1600, 1000), orientation: int = TURNED) -> bytes:
    """From a phone: much is said of it before its measures come."""
    about = Image.Exif()
    about[0x010F] = "x" * 40_000  # who made the camera
    about[0x0112] = orientation
    return picture("JPEG", size, color="red", exif=about, icc_profile=b"\0" * 100_000)


def noise(size: tuple[int, int] = (1000, 500)) -> bytes:
    """Which nothing makes smaller."""
    out = BytesIO()
    Image.effect_noise(size, 100).save(out, "PNG")
    return out.getvalue()


def moving() -> bytes:
    """Red, then green, then blue."""
    out = BytesIO()
    red, *others = (Image.new("RGB", (900, 450), color) for color in ("red", "green", "blue"))
    red.save(out, "GIF", save_all=True, append_images=others)
    return out.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """So many pixels a side, in a header that costs nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image
