"""A picture made small: upright, silent about its maker, and never at the price of the house."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import shrink
from tests.support.pictures import bomb, moving, opened, photograph, picture

KINDS = {
    "JPEG": (picture("JPEG"), "RGB", (800, 500)),
    "JPEG in inks": (picture("JPEG", mode="CMYK", icc_profile=b"\0" * 200), "RGB", (800, 500)),
    "JPEG in grey": (picture("JPEG", mode="L"), "RGB", (800, 500)),
    "PNG": (picture(), "RGB", (800, 500)),
    "PNG, transparent": (picture(mode="RGBA", color=(255, 0, 0, 100)), "RGBA", (800, 500)),
    "PNG, one colour of a palette transparent": (picture(mode="P", transparency=0), "RGBA", (800, 500)),
    "PNG in grey, transparent": (picture(mode="LA", color=(9, 100)), "RGBA", (800, 500)),
    "PNG in black and white": (picture(mode="1"), "RGB", (800, 500)),
    "PNG in 16 bits of grey": (picture(mode="I;16", color=40_000), "RGB", (800, 500)),
    "GIF": (picture("GIF", mode="P"), "RGB", (800, 500)),
    "GIF that moves": (moving(), "RGB", (800, 400)),
    "WebP": (picture("WEBP", size=(1000, 1600)), "RGB", (500, 800)),
    "a small one stays small": (picture(size=(3, 2)), "RGB", (3, 2)),
    "a thread": (picture(size=(20_000, 1)), "RGB", (800, 1)),
    "a photograph held upright": (photograph(), "RGB", (500, 800)),
    "a photograph of 192 megapixels": (picture("JPEG", (16_000, 12_000), "L", color=50), "RGB", (800, 600)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_fits_its_frame_and_keeps_what_can_be_seen_through(tmp_path: Path, kind: str) -> None:
    content, mode, size = KINDS[kind]
    (tmp_path / "it").write_bytes(content)
    made = opened(shrink.shrunk(str(tmp_path / "it")))
    assert (made.format, made.mode, made.size) == ("WEBP", mode, size)
    assert not made.getexif()


def test_what_is_shown_is_what_was_taken(tmp_path: Path) -> None:
    """Of what moves the first frame, of 16 bits the upper eight, of what is seen through as much."""
    for content, seen in (
        (moving(), (255, 0, 0)),
        (KINDS["PNG in 16 bits of grey"][0], (156, 156, 156)),
        (KINDS["PNG, transparent"][0], (255, 0, 0, 100)),
    ):
        (tmp_path / "it").write_bytes(content)
        found = opened(shrink.shrunk(str(tmp_path / "it"))).getpixel((100, 100))
        assert all(abs(one - other) <= 4 for one, other in zip(found, seen, strict=True)), (found, seen)


def test_a_picture_is_told_in_the_colours_it_was_taken_in_unless_that_outweighs_it(tmp_path: Path) -> None:
    for length, kept in ((500, 500), (100_000, None)):
        (tmp_path / "it").write_bytes(picture("JPEG", icc_profile=b"\0" * length))
        made = opened(shrink.shrunk(str(tmp_path / "it")))
        assert len(made.info.get("icc_profile") or b"") == (kept or 0)


def test_the_program_outlives_what_it_refuses_and_ends_with_its_input(tmp_path: Path) -> None:
    """In its own fence: it can write no file and take no more memory than it may."""
    sent = {
        "bomb": bomb(),
        "within the pixels, beyond what is there": bomb(7000),
        "cut": photograph()[:90_000],
        "words": b"hello",
        "nothing": b"",
        "svg": b"<svg/>",
        "tiff, which is not asked for": picture("TIFF"),
        "good": picture(),
    }
    for number, content in enumerate(sent.values()):
        (tmp_path / str(number)).write_bytes(content)
    lines = [json.dumps(str(tmp_path / str(number))) for number in [*range(len(sent)), "none"]]
    done = subprocess.run(
        [sys.executable, "-IB", shrink.__file__], input="\n".join(lines).encode(), capture_output=True, timeout=100
    )
    assert (done.returncode, done.stderr, done.stdout[:1]) == (0, b"", b"\n")
    answers, left = [], done.stdout[1:]
    while left:
        (size,) = struct.unpack(">I", left[:4])
        answers.append(left[4 : 4 + size])
        left = left[4 + size :]
    assert [bool(one) for one in answers] == [name == "good" for name in sent] + [False]


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("os.write(os.open('it', os.O_CREAT | os.O_WRONLY), b'x')", "File too large"),
        ("bytearray(2 * 1024**3)", "MemoryError"),
        ("\nshrink._breathe()\nwhile True: pass", ""),
    ],
    ids=["writing", "memory", "time"],
)
def test_the_fence_holds(tmp_path: Path, deed: str, says: str) -> None:
    program = f"import os; from bridge import shrink; shrink.CPU_S = 1; shrink._fence(); {deed}"
    done = subprocess.run([sys.executable, "-Bc", program], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode != 0 and says in done.stderr
