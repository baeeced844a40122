"""A browser for the stories: the system's Chromium, at an address that is no secure context, watched all the time.

The page is opened as `http://room.lan:PORT/`, as on a LAN: at `localhost` a browser grants what it refuses there, and
tests would not notice. Whatever the page says on its console, and any dialog, fails the story.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio

from tests.support.process import Running

if TYPE_CHECKING or importlib.util.find_spec("playwright"):
    from playwright.async_api import Browser, Dialog, Page, async_playwright, expect

HERE = Path(__file__).parent
FLAGS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-component-update "
    "--disable-sync --disable-quic --no-first-run"
).split()
HOST_RULE = "--host-resolver-rules=MAP room.lan 127.0.0.1"
PATIENCE_MS = 20_000  # a page waits up to 10 s between two tries, and the machine may have much else to do
VIEWPORTS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


def chromium() -> str | None:
    named = os.environ.get("ROOMBRIDGE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing() -> str | None:
    """Why the stories cannot run here, and what to do about it."""
    if not importlib.util.find_spec("playwright"):
        return "no playwright found: pip install -e '.[dev]'"
    if not chromium():
        return "no Chromium found: apt-get install chromium, or set ROOMBRIDGE_CHROMIUM"
    return None


def pytest_configure() -> None:
    """Where the page's tests are required, no browser is an error and not a reason to skip."""
    if (reason := missing()) and os.environ.get("ROOMBRIDGE_REQUIRE_UI") == "1":
        raise pytest.UsageError(f"UI tests are required here but cannot run: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser skip and say why; with one, let all stories share its event loop."""
    reason = missing()
    for item in items:
        if item.path.parent == HERE:
            mark = pytest.mark.skip(reason=reason) if reason else pytest.mark.asyncio(loop_scope="session")
            item.add_marker(mark, append=False)  # before the mark that auto mode has put there


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, HOST_RULE])
        yield browser
        await browser.close()


@pytest.fixture
def house(run: Callable[..., Running]) -> Running:
    """A server of one's own that answers to room.lan."""
    return run("--allow-host", "room.lan")


class Visit:
    """`page = await visit("alice")`: one more browser, with its own storage, in the room under this name.

    Without a name it stays at the door. `room`, `lang`, `screen` ("desktop", "phone") and `scheme` are as said; a
    `host` has opened the host's own link before.
    """

    def __init__(self, browser: Browser, house: Running, stack: AsyncExitStack) -> None:
        self._browser = browser
        self._house = house
        self._stack = stack
        self.said: list[str] = []  # on any console, in any dialog

    async def __call__(
        self,
        name: str = "",
        *,
        room: str = "lobby",
        lang: str = "en",
        screen: str = "desktop",
        scheme: str = "light",
        host: bool = False,
    ) -> Page:
        context = await self._stack.enter_async_context(
            await self._browser.new_context(
                viewport=VIEWPORTS[screen], locale=lang, color_scheme=scheme, has_touch=screen == "phone"
            )
        )
        page = await context.new_page()
        self.listen(page)
        if host:
            token = (self._house.data / "host-token").read_text().strip()
            await page.goto(f"http://room.lan:{self._house.port}/j/{token}")
        query = f"?{urlencode({'name': name})}" if name else ""
        await page.goto(f"http://room.lan:{self._house.port}/r/{quote(room)}{query}")
        if name:
            await expect(page.locator(".connection.open")).to_be_visible()
            await expect(page.locator(".room-switches")).to_be_visible()  # what stands around the words is here too
        else:
            await expect(page.locator(".join-card")).to_be_visible()
        return page

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("dialog", self._dialog)

    async def _dialog(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def allow(self, pattern: str) -> None:
        """Some requests of a story are meant to fail, and Chromium says so on the console whatever the page does."""
        self.said = [words for words in self.said if not re.search(pattern, words)]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, house: Running) -> AsyncIterator[Visit]:
    async with AsyncExitStack() as stack:
        visit = Visit(browser, house, stack)
        yield visit
    assert visit.said == []
