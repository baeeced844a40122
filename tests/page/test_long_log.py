"""A log longer than a screen: three hundred rows at most, older ones on demand, and the way back to the end."""

from __future__ import annotations

import socket
from contextlib import closing

import aiohttp
import pytest

pytest.importorskip("playwright")
from playwright.async_api import Page, expect

from tests.support.process import Running


async def fill(house: Running, first: int, last: int) -> None:
    """Lines numbered `first` to `last`, by one TCP peer."""
    with closing(socket.create_connection(house.address)) as tcp:
        tcp.sendall("".join(f"line {number}\n" for number in range(first, last + 1)).encode())
        tcp.shutdown(socket.SHUT_WR)
        while tcp.recv(65536):
            pass


async def to_top(page: Page) -> None:
    await page.locator(".log").evaluate("log => { log.scrollTop = 0; }")


async def test_the_end_is_followed_and_three_hundred_rows_are_kept(visit, house: Running) -> None:
    page = await visit("alice")
    await fill(house, 1, 420)
    await expect(page.locator(".text").last).to_have_text("line 420")
    await expect(page.locator(".text").last).to_be_in_viewport()
    await expect(page.locator(".message")).to_have_count(300)

    await to_top(page)
    first = page.locator(".text", has_text="line 121").first
    await page.get_by_role("button", name="Show older messages").click()
    await expect(page.locator(".text").first).to_have_text("line 71")
    await expect(page.locator(".message")).to_have_count(300)
    await expect(first).to_be_in_viewport()  # what was read has not moved away

    await fill(house, 421, 425)
    await page.get_by_role("button", name="5 new messages").click()
    await expect(page.locator(".text").last).to_have_text("line 425")
    await expect(page.locator(".text").last).to_be_in_viewport()
    await expect(page.locator(".to-latest")).to_have_count(0)


async def test_older_messages_end_at_the_beginning(visit, house: Running) -> None:
    await fill(house, 1, 60)
    page = await visit("alice")
    await expect(page.locator(".text").first).to_have_text("line 11")
    await to_top(page)
    await page.get_by_role("button", name="Show older messages").click()
    await expect(page.locator(".text").first).to_have_text("line 1")
    await expect(page.get_by_role("button", name="Show older messages")).to_have_count(0)


async def test_a_burst_is_drawn_while_the_reader_stays_where_they_are(visit, house: Running) -> None:
    await fill(house, 1, 60)
    page = await visit("alice")
    await to_top(page)
    await expect(page.locator(".to-latest")).to_be_visible()
    async with aiohttp.ClientSession() as session, session.post(f"{house.url}r/lobby", data="news") as answer:
        assert answer.status == 201
    await expect(page.get_by_role("button", name="1 new message")).to_be_visible()
    await expect(page.locator(".text").first).to_be_in_viewport()
