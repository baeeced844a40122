"""A log longer than a screen: three hundred rows at most, pages up and down, and the way to any entry and back."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing, suppress
from datetime import date, timedelta

import pytest

pytest.importorskip("playwright")
from playwright.async_api import Page, expect

from tests.page.acts import lines, numbered, post, say
from tests.support.process import Running

ROWS_MAX = 300


async def scroll(page: Page, to: str) -> None:
    await page.locator(".log").evaluate(f"log => {{ log.scrollTop = {to}; }}")


async def reach(page: Page, to: str, text: str) -> None:
    """Scroll to an end of what is loaded until this text is there; never more rows than there may be."""
    wanted = page.locator(".text").get_by_text(text, exact=True)
    edge = page.locator(".text").nth(0 if to == "top" else -1)
    for _ in range(60):
        assert await page.locator(".message").count() <= ROWS_MAX
        if await wanted.count():
            return
        before = await edge.text_content()
        await scroll(page, "0" if to == "top" else "log.scrollHeight")
        await expect(edge).not_to_have_text(before or "")
    raise AssertionError(f"{text} was never reached")


async def test_the_end_is_followed_and_three_hundred_rows_are_kept(visit, house: Running) -> None:
    page = await visit("alice")
    await numbered(house, 1, 420)
    await expect(page.locator(".text").last).to_have_text("line 420")
    await expect(page.locator(".text").last).to_be_in_viewport()
    await expect(page.locator(".message")).to_have_count(ROWS_MAX)


async def test_pages_go_up_to_the_beginning_and_down_to_the_end(visit, house: Running) -> None:
    await numbered(house, 1, 700)
    page = await visit("alice")
    await expect(page.locator(".text").last).to_be_in_viewport()
    await reach(page, "top", "line 1")
    await expect(page.get_by_role("button", name="Show older messages")).to_have_count(0)
    await numbered(house, 701, 703)
    await expect(page.get_by_role("button", name="3 new messages")).to_be_visible()
    await reach(page, "foot", "line 703")
    await scroll(page, "log.scrollHeight")
    await expect(page.locator(".to-latest")).to_have_count(0)
    texts = await page.locator(".text").all_inner_texts()
    assert texts == [f"line {number}" for number in range(704 - len(texts), 704)], "in order, without a hole"


async def test_what_is_read_does_not_move_when_older_rows_come(visit, house: Running) -> None:
    await numbered(house, 1, 300)
    page = await visit("alice")
    first = page.locator(".text").get_by_text("line 251", exact=True)
    await first.evaluate("row => row.scrollIntoView({ block: 'center' })")
    await expect(page.locator(".text").get_by_text("line 201", exact=True)).to_have_count(1)
    await expect(first).to_be_in_viewport()


async def test_the_way_back_to_the_end_is_one_press(visit, house: Running) -> None:
    await numbered(house, 1, 500)
    page = await visit("alice")
    await reach(page, "top", "line 150")
    await post(house, "news")
    await page.get_by_role("button", name="1 new message").click()
    await expect(page.locator(".text").last).to_have_text("news")
    await expect(page.locator(".text").last).to_be_in_viewport()
    await reach(page, "top", "line 430")
    await page.keyboard.press("Escape")
    await expect(page.locator(".text").last).to_be_in_viewport()


async def test_a_burst_is_drawn_while_the_reader_stays_where_they_are(visit, house: Running) -> None:
    await numbered(house, 1, 60)
    page = await visit("alice")
    await reach(page, "top", "line 1")
    await scroll(page, "0")
    await expect(page.locator(".to-latest")).to_be_visible()
    await numbered(house, 61, 200)
    await expect(page.get_by_role("button", name="140 new messages")).to_be_visible()
    await expect(page.locator(".text").first).to_be_in_viewport()


async def test_an_entry_has_an_address_of_its_own(visit, house: Running) -> None:
    await numbered(house, 1, 400)
    page = await visit("alice")
    await page.goto(f"{page.url.split('?')[0]}#100")
    await page.reload()
    await expect(page.locator("[data-pointed]")).to_contain_text("line 100")
    await expect(page.locator("[data-pointed]")).to_be_in_viewport()
    assert await page.locator(".message").count() <= ROWS_MAX
    link = page.locator(".message", has_text="line 90").locator("a.message-time")
    await link.click()
    await expect(page).to_have_url(re.compile(r"#90$"))
    await expect(page.locator("[data-pointed]")).to_contain_text("line 90")


async def test_a_day_is_gone_to_by_its_date(visit, house: Running) -> None:
    await numbered(house, 1, 300)
    with closing(sqlite3.connect(house.data / "log.sqlite3")) as log, log:
        log.execute("UPDATE entry SET at = at - 86400000 * 3 WHERE seq <= 200")
        log.execute("UPDATE entry SET at = at - 86400000 * 3 WHERE seq <= 100")
    page = await visit("alice")
    await page.keyboard.press("Alt+4")
    await page.get_by_label("Go to a day").fill((date.today() - timedelta(days=5)).isoformat())
    await page.get_by_role("button", name="Go", exact=True).click()
    await expect(page.locator("[data-pointed]")).to_contain_text("line 101")
    await expect(page.locator("[data-pointed]")).to_be_in_viewport()
    await expect(page.locator(".marker")).to_have_count(2)  # the days before and after


async def has_seen_it(page: Page) -> None:
    """Goes to the end, and once more if the key came before the page had settled there."""
    marker = page.locator(".marker.unread")
    for _ in range(3):
        await page.keyboard.press("Escape")
        with suppress(AssertionError):
            await expect(marker).to_have_count(0, timeout=5000)
            return
    await expect(marker).to_have_count(0)


async def looked_at(page: Page, seq: int) -> None:
    """Until the page remembers that this entry was seen: drawn it may be a moment sooner."""
    seen = "JSON.parse(localStorage.getItem('roombridge.seen.lobby'))?.seq ?? 0"
    async with asyncio.timeout(20):
        while await page.evaluate(seen) < seq:
            await asyncio.sleep(0.01)


async def test_what_came_while_nobody_was_here_is_marked_as_missed(visit, house: Running) -> None:
    page = await visit("alice")
    await say(page, "before")
    await expect(page.locator(".message.mine:not(.draft)")).to_have_text([re.compile("before")])
    await numbered(house, 1, 2)
    await expect(page.locator(".text").last).to_have_text("line 2")
    await looked_at(page, 3)
    address = page.url
    await page.goto("about:blank")
    await numbered(house, 3, 5)
    await page.goto(address)
    await expect(page.locator(".marker.unread")).to_have_text("You missed 3 messages")
    following = page.locator(".marker.unread + .message")
    await expect(following).to_contain_text("line 3")
    await has_seen_it(page)
    await page.reload()
    await expect(page.locator(".text").last).to_have_text("line 5")
    await expect(page.locator(".marker.unread")).to_have_count(0)


async def test_what_came_while_the_network_was_gone_is_marked_as_missed(visit, house: Running) -> None:
    page = await visit()
    routes, up = [], [True]

    async def cable(route) -> None:
        if up[0]:
            route.connect_to_server()
            routes.append(route)
        else:
            await route.close()

    await page.route_web_socket("**/ws?*", cable)
    await page.reload()
    await page.get_by_role("button", name="Enter the room").click()
    await expect(page.locator(".connection.open")).to_be_visible()
    up[0] = False
    await routes[-1].close()
    await expect(page.locator(".banner")).to_be_visible()
    await lines(house, "one", "two")
    up[0] = True
    await expect(page.locator(".marker.unread")).to_have_text("You missed 2 messages")
    await expect(page.locator(".marker.unread ~ .message").first).to_contain_text("one")
