"""What is fetched before a screen works weighs little; and what comes after it is waited for, not missed."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

pytest.importorskip("playwright")
from playwright.async_api import Page, Route, expect

from tests.page.acts import numbered, say
from tests.page.conftest import VIEWPORTS
from tests.page.weight import FIRST_SCREEN_MAX_BYTES, scripts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

    from tests.support.process import Running

# What each screen fetches when it works. Held back, it cannot have had a part in that.
AFTER_THE_DOOR = "**/static/enter.js"
AFTER_THE_WORDS = "**/static/surroundings.js"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that has been nowhere yet."""
    context = await browser.new_context(viewport=VIEWPORTS["desktop"], locale="en")
    yield await context.new_page()
    await context.close()


@asynccontextmanager
async def held_back(page: Page, pattern: str) -> AsyncIterator[list[str]]:
    """Requests of this pattern, of which there must be one, wait for the end of the block. Gives the others."""
    others: list[str] = []
    asked, over = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await over.wait()
        await route.continue_()

    await page.route(pattern, hold)
    held = pattern.removeprefix("**")
    page.on("request", lambda request: request.url.endswith(held) or others.append(request.url))
    yield others
    await asyncio.wait_for(asked.wait(), timeout=20)
    over.set()
    await page.unroute_all(behavior="wait")


def weigh(urls: list[str]) -> None:
    weights = scripts(urls)
    total = sum(weights.values())
    heaviest = sorted(weights, key=weights.__getitem__, reverse=True)
    listed = "\n".join(f"{weights[path]:6} {path}" for path in heaviest)
    assert "main.js" in weights
    assert total <= FIRST_SCREEN_MAX_BYTES, f"{total} bytes in {len(weights)} scripts:\n{listed}"


async def remembered(page: Page, name: str) -> None:
    await page.add_init_script(f"""sessionStorage.setItem("roombridge.joined", '"{name}"')""")


async def test_the_door_is_light_and_the_room_behind_it_comes_while_it_is_read(page: Page, house: Running) -> None:
    await numbered(house, 1, 40)
    async with held_back(page, AFTER_THE_DOOR) as fetched:
        await page.goto(f"http://room.lan:{house.port}/")
        await expect(page.locator("#join-name")).not_to_have_value("")
        await page.get_by_role("button", name="Switch to 中文").click()
        await page.get_by_role("button", name="切换到 English").click()
        await expect(page.get_by_role("button", name="Enter the room")).to_be_visible()
        weigh(fetched)
        await page.locator("#join-name").fill("alice")
        await page.keyboard.press("Enter")
    await expect(page.locator(".person", has_text="alice")).to_be_visible()


async def test_the_room_is_light_until_it_can_be_read_and_written_in(page: Page, house: Running) -> None:
    await numbered(house, 1, 40)
    await remembered(page, "alice")
    async with held_back(page, AFTER_THE_WORDS) as fetched:
        await page.goto(f"http://room.lan:{house.port}/")
        await expect(page.locator(".connection.open")).to_be_visible()
        await numbered(house, 41, 41)
        await expect(page.locator(".text")).to_have_text([f"line {number}" for number in range(1, 42)])
        await say(page, "plain words")
        await expect(page.locator(".message.mine:not(.draft)")).to_have_text([re.compile("plain words")])
        weigh(fetched)
    await expect(page.locator(".person", has_text="alice")).to_be_visible()


@pytest.mark.parametrize("way", ["drop", "paste", "choose"])
async def test_a_file_given_before_what_sends_it_is_here_waits_for_that(page: Page, house: Running, way: str) -> None:
    await remembered(page, "alice")
    async with held_back(page, AFTER_THE_WORDS):
        await page.goto(f"http://room.lan:{house.port}/")
        await expect(page.locator(".connection.open")).to_be_visible()
        if way == "choose":
            early = {"name": "early.txt", "mimeType": "text/plain", "buffer": b"early"}
            await page.locator(".composer input[type=file]").set_input_files([early])
        else:
            assert await page.evaluate(GIVE, way) is True
    await expect(page.locator(".card-name")).to_have_text(["early.txt"])


# Answers whether the browser was kept from doing with the file what it does with files.
GIVE = """
(way) => {
  const data = new DataTransfer();
  data.items.add(new File(["early"], "early.txt"));
  const more = { bubbles: true, cancelable: true };
  const area = document.querySelector(".composer textarea");
  if (way === "paste") return !area.dispatchEvent(new ClipboardEvent("paste", { ...more, clipboardData: data }));
  const stayed = !area.dispatchEvent(new DragEvent("dragover", { ...more, dataTransfer: data }));
  return stayed && !area.dispatchEvent(new DragEvent("drop", { ...more, dataTransfer: data }));
}
"""


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
async def test_what_is_pressed_before_its_window_is_here_opens_it(page: Page, house: Running, way: str) -> None:
    await remembered(page, "alice")
    async with held_back(page, AFTER_THE_WORDS):
        await page.goto(f"http://room.lan:{house.port}/")
        await expect(page.get_by_label("Write a message")).to_be_focused()
        if way == "mouse":
            await page.locator(".room-button").click()
        else:
            await page.keyboard.press("Control+K")
    await expect(page.get_by_role("dialog", name="Rooms")).to_be_visible()


async def test_who_went_up_before_older_rows_could_come_gets_them(page: Page, house: Running) -> None:
    await numbered(house, 1, 90)
    await remembered(page, "alice")
    async with held_back(page, AFTER_THE_WORDS):
        await page.goto(f"http://room.lan:{house.port}/")
        await expect(page.locator(".connection.open")).to_be_visible()
        await page.locator(".log").evaluate("log => { log.scrollTop = 0; }")
    await expect(page.locator(".text").first).to_have_text("line 1")


async def test_what_a_broken_connection_kept_away_is_fetched_again(page: Page, house: Running) -> None:
    await remembered(page, "alice")
    for pattern in (AFTER_THE_WORDS, "**/static/models/company.js"):
        await page.route(pattern, lambda route: route.abort(), times=1)
    await page.goto(f"http://room.lan:{house.port}/")
    await expect(page.locator(".person", has_text="alice")).to_be_visible()


async def test_who_enters_while_the_room_is_out_of_reach_is_told_and_may_try_again(page: Page, house: Running) -> None:
    await page.route(AFTER_THE_DOOR, lambda route: route.abort(), times=2)  # while it is read, and when it is passed
    await page.goto(f"http://room.lan:{house.port}/")
    await page.get_by_role("button", name="Enter the room").click()
    await expect(page.locator(".notice")).to_have_text("The server could not be reached.")
    await page.get_by_role("button", name="Enter the room").click()
    await expect(page.locator(".person")).to_be_visible()
