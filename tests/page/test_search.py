"""Finding: words in any script over the whole room, shown with what stands around them, and the way there."""

from __future__ import annotations

from contextlib import closing

import pytest

pytest.importorskip("playwright")
from playwright.async_api import expect

from tests.page.acts import datagrams, lines, numbered, put
from tests.support.process import Running


async def test_a_chinese_word_of_two_signs_is_found_far_back_and_gone_to(visit, house: Running) -> None:
    await lines(house, "今日温度正常", "温和的热度")
    await numbered(house, 1, 400)
    page = await visit("alice")
    await page.locator(".log").click()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Search this room")).to_be_focused()
    await page.keyboard.type("温度")
    found = page.locator(".found-link")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text("今日温度正常")
    await expect(found.locator("mark")).to_have_text("温度")
    await found.click()
    await expect(page.locator("[data-pointed]")).to_contain_text("今日温度正常")
    await expect(page.locator("[data-pointed]")).to_be_in_viewport()
    await page.get_by_role("button", name="To the latest").click()
    await expect(page.locator(".text").last).to_have_text("line 400")


async def test_words_are_found_by_their_beginning_and_files_by_their_names(visit, house: Running) -> None:
    with closing(datagrams(house, "Température 23.5")):
        await put(house, "temperatures.csv", b"1")
        await lines(house, "contemporary", "<img src=x onerror=alert(1)> temp")
        page = await visit("alice")
        await page.get_by_role("button", name="Search", exact=True).click()
        await page.get_by_label("Search this room").fill("TEMP")
        await expect(page.locator(".found-link")).to_have_count(3)
        assert sorted(await page.locator(".found mark").all_inner_texts()) == ["Temp", "temp", "temp"]
        await expect(page.locator(".found-text").first).to_have_text("<img src=x onerror=alert(1)> temp")
        await expect(page.locator(".found img")).to_have_count(0)
        await page.get_by_label("Search this room").fill('nothing" OR "of')
        await expect(page.locator(".panel-note")).to_have_text("Nothing found")
        await page.get_by_label("Search this room").fill("")
        await expect(page.locator(".found-link")).to_have_count(0)


async def test_older_hits_are_shown_on_demand(visit, house: Running) -> None:
    await numbered(house, 1, 45)
    page = await visit("alice", screen="phone")
    await page.get_by_role("button", name="Search", exact=True).click()
    await page.get_by_label("Search this room").fill("line")
    await expect(page.locator(".found-link")).to_have_count(30)
    await page.get_by_role("button", name="Show older").click()
    await expect(page.locator(".found-link")).to_have_count(45)
    await page.locator(".found-link", has_text="line 7").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)  # the sheet makes way for what was found
    await expect(page.locator("[data-pointed]")).to_contain_text("line 7")
