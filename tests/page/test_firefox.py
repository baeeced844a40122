"""The other browser: in by the door, a word each way, and a file that is too large to be put at one go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from tests.page.acts import lines
from tests.page.firefox import firefox, tab
from tests.support import observe
from tests.support.process import Running

ENTER = "\ue007"


@pytest.mark.skipif(not firefox(), reason="no Firefox found: apt-get install firefox-esr")
async def test_firefox_joins_talks_and_sends_a_large_file(house: Running, tmp_path: Path) -> None:
    film = tmp_path / "film.bin"
    film.write_bytes(b"0123456789abcdef" * 200_000)
    program = firefox()
    assert program
    async with tab(program, tmp_path / "profile") as page:
        await page.goto(f"http://room.lan:{house.port}/r/lobby")
        await page.until("document.activeElement?.id === 'join-name'")
        await page.type(f"Fox{ENTER}")
        await page.until("document.querySelector('.connection.open')")
        await lines(house, "温度 23.5")
        await page.until("document.querySelector('.message .text')?.textContent === '温度 23.5'")
        await page.click(".composer textarea")
        await page.type(f"**hello**{ENTER}")
        await page.until("document.querySelector('.message.mine:not(.draft) strong')?.textContent === 'hello'")
        await page.choose(".composer input[type=file]", film)
        await page.until("document.querySelector('.message.mine .card-name')?.textContent === 'film.bin'")
        assert await page.read("isSecureContext") is False
        assert page.errors == []
    *_, said, sent = observe.log(house.address)
    assert (said["text"], said["from"]["name"]) == ("**hello**", "Fox")
    assert sent["file"]["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
