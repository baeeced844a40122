"""The server goes and comes back; the page comes back too, and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import closing

import pytest

pytest.importorskip("playwright")
from playwright.async_api import Page, expect

from tests.support.process import Running

# What Chromium itself writes when nobody listens; the page cannot keep it from doing so.
NOBODY_LISTENS = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to"


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")


async def test_after_a_crash_the_page_resumes_and_sends_what_waited(visit, house: Running) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    await say(alice, "before")
    await expect(bob.locator(".text")).to_have_text(["before"])

    house.kill()
    await expect(alice.locator(".banner")).to_contain_text("your text is kept")
    await say(alice, "while away 1")
    await say(bob, "while away 2")
    await expect(alice.locator(".draft")).to_have_count(1)
    await asyncio.to_thread(house.start)

    for page in (alice, bob):
        await expect(page.locator(".draft")).to_have_count(0)
        await expect(page.locator(".connection.open")).to_be_visible()
        await expect(page.locator(".banner")).to_have_count(0)
        await expect(page.locator(".text")).to_have_count(3)
    said = sorted(await alice.locator(".text").all_inner_texts())
    assert said == ["before", "while away 1", "while away 2"]
    assert await alice.locator(".text").all_inner_texts() == await bob.locator(".text").all_inner_texts()
    await expect(alice.locator(".message.mine")).to_have_count(2)
    await expect(alice.locator(".rail .person")).to_have_count(2)
    await say(alice, "after")
    await expect(bob.locator(".text").last).to_have_text("after")
    visit.allow(NOBODY_LISTENS)


async def test_words_said_offline_survive_a_reload(visit, house: Running) -> None:
    page = await visit("alice")
    house.stop()
    await expect(page.locator(".connection.lost")).to_be_visible()
    await say(page, "do not lose me")
    await expect(page.locator(".draft")).to_have_count(1)
    await asyncio.to_thread(house.start)
    await page.reload()
    await expect(page.locator(".message.mine:not(.draft)")).to_contain_text("do not lose me")
    await expect(page.locator(".message")).to_have_count(1)
    visit.allow(NOBODY_LISTENS)


async def test_another_log_at_the_same_address_starts_the_page_again(visit, house: Running) -> None:
    page = await visit("alice")
    await say(page, "of the old log")
    await expect(page.locator(".message.mine:not(.draft)")).to_have_count(1)
    house.stop()
    await page.get_by_role("button", name="Try now").click()  # in vain as yet, and no harm
    await expect(page.locator(".text")).to_have_text(["of the old log"])
    shutil.rmtree(house.data)
    await asyncio.to_thread(house.start)
    await expect(page.locator(".empty")).to_be_visible()
    await expect(page.locator(".connection.open")).to_be_visible()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.sendto(b"of the new log", house.address)
        await expect(page.locator(".text")).to_have_text(["of the new log"])
    visit.allow(NOBODY_LISTENS)


async def test_a_message_that_is_refused_turns_red_and_can_be_taken_back(visit) -> None:
    page = await visit("alice")
    await say(page, "bell \u0007")
    await expect(page.locator(".draft.failed .refusal")).to_contain_text("signs in it that cannot be sent")
    await page.get_by_role("button", name="Retry").click()
    await expect(page.locator(".draft.failed .refusal")).to_be_visible()
    await page.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Write a message")).to_have_value("bell \u0007")
    await expect(page.locator(".draft")).to_have_count(0)
