"""Many rooms: made by a name, changed by a press, each telling what is new in it."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.async_api import expect

from tests.page.acts import lines, message, say
from tests.support.process import Running


async def test_a_room_is_made_by_its_name_and_another_is_a_press_away(visit, house: Running) -> None:
    page = await visit("alice")
    await say(page, "in the lobby")
    await page.keyboard.press("Control+K")
    sheet = page.get_by_role("dialog", name="Rooms")
    await sheet.get_by_label("Find a room, or name a new one").fill("实验室")
    await sheet.get_by_role("button", name="Make it").click()
    await expect(page).to_have_url(re.compile(r"/r/%E5%AE%9E%E9%AA%8C%E5%AE%A4$"))
    await expect(
        page.locator(".connection.open")
    ).to_be_visible()  # the same visitor, who need not say their name again
    await expect(page.locator(".empty")).to_be_visible()
    await lines(house, "from a socket", room="实验室")
    await expect(message(page, "from a socket")).to_be_visible()

    await page.locator(".room-button").click()
    await sheet.get_by_role("link", name="lobby").click()
    await expect(message(page, "in the lobby")).to_be_visible()


async def test_what_is_new_elsewhere_is_counted(visit, house: Running) -> None:
    page = await visit("alice", room="lab")
    await lines(house, "seen", room="lab")
    await expect(message(page, "seen")).to_be_visible()
    await page.goto(page.url.replace("lab", "lobby"))
    await expect(page.locator(".connection.open")).to_be_visible()
    await lines(house, "one", "two", "three", room="lab")
    await lines(house, "elsewhere", room="never-visited")
    await page.locator(".room-button").click()
    rooms = page.get_by_role("dialog", name="Rooms")
    await expect(rooms.get_by_role("link", name=re.compile("^lab")).locator(".unread-count")).to_have_text("3")
    await expect(rooms.locator(".unread-count")).to_have_count(1)
    await rooms.get_by_label("Find a room").fill("LAB")
    await expect(rooms.get_by_role("link")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator(".marker.unread")).to_have_text("You missed 3 messages")


async def test_a_name_that_no_room_can_have_is_told_so(visit) -> None:
    page = await visit("alice")
    await page.keyboard.press("Control+K")
    await page.get_by_label("Find a room").fill("a b/c")
    await expect(page.get_by_role("dialog")).to_contain_text("There can be no room of this name.")
    await expect(page.get_by_role("button", name="Enter", exact=True)).to_be_disabled()
