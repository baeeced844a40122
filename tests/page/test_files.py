"""Files in the page: looked at without saving, found among many, taken along in every way."""

from __future__ import annotations

import hashlib
from zipfile import ZipFile

import pytest

pytest.importorskip("playwright")
from playwright.async_api import Page, expect

from tests.page.acts import put
from tests.page.test_room import PNG
from tests.support.pictures import noise
from tests.support.process import Running


async def copied(page: Page) -> str:
    """What the clipboard holds, as one would see it by pasting."""
    await page.get_by_label("Write a message").fill("")
    await page.get_by_label("Write a message").focus()
    await page.keyboard.press("Control+V")
    return await page.get_by_label("Write a message").input_value()


async def test_a_picture_opens_large_and_escape_closes_it(visit, house: Running) -> None:
    await put(house, "dot.png", PNG)
    page = await visit("alice")
    await page.get_by_role("button", name="Open dot.png").click()
    window = page.get_by_role("dialog", name="dot.png")
    await expect(window.locator("img")).to_have_js_property("naturalWidth", 1)
    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(page.get_by_role("button", name="Open dot.png")).to_be_focused()


async def test_of_a_large_picture_a_thumbnail_is_shown_in_the_place_held_for_it(visit, house: Running) -> None:
    await put(house, "large.png", noise())
    page = await visit("alice")
    image = page.get_by_role("button", name="Open large.png").locator("img")
    await expect(image).to_have_js_property("naturalWidth", 800)
    assert [await image.get_attribute(name) for name in ("width", "height")] == ["1000", "500"]
    assert (await image.get_attribute("src")).startswith("/thumbs/")
    await page.get_by_role("button", name="Open large.png").click()
    await expect(page.get_by_role("dialog").locator("img")).to_have_js_property("naturalWidth", 1000)


async def test_what_only_began_like_a_picture_is_a_file_like_others(visit, house: Running) -> None:
    await put(house, "broken.png", PNG[:12] + b"no picture at all")
    page = await visit("alice")
    await expect(page.locator(".card", has_text="broken.png")).to_be_visible()
    await expect(page.locator("img[src*=broken]")).to_have_count(0)
    await expect(page.get_by_role("button", name="Open broken.png")).to_have_count(0)


async def test_a_text_is_looked_at_by_its_beginning_in_either_encoding(visit, house: Running) -> None:
    await put(house, "long.txt", "温度 <b>23</b>\n".encode() * 8000)
    await put(house, "gb.txt", "温度正常".encode("gb18030"))
    await put(house, "empty.txt", b"")
    page = await visit("alice")
    await page.get_by_role("button", name="Open long.txt").click()
    window = page.get_by_role("dialog")
    await expect(window.locator("pre")).to_contain_text("温度 <b>23</b>")
    await expect(window).to_contain_text("The first 64 KiB of 133 KiB")
    assert len(await window.locator("pre").text_content() or "") < 64 * 1024
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Open gb.txt").click()
    await expect(window.locator("pre")).to_have_text("温度正常")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Open empty.txt").click()
    await expect(window.locator("pre")).to_have_text("")
    visit.allow("status of 416")


async def test_link_curl_and_digest_are_copied(visit, house: Running) -> None:
    body = b"0123456789"
    await put(house, "it's.bin", body)
    page = await visit("alice")
    await page.get_by_role("button", name="More about it's.bin").click()
    await page.get_by_role("button", name="Copy link").click()
    link = await copied(page)
    assert link.startswith(f"http://room.lan:{house.port}/files/")
    await page.get_by_role("button", name="Copy curl").click()
    assert await copied(page) == f"curl -o 'it'\\''s.bin' '{link}'"
    await page.get_by_role("button", name="SHA-256").click()
    assert await copied(page) == hashlib.sha256(body).hexdigest()


async def test_sound_film_and_pdf_have_their_players(visit, house: Running) -> None:
    for name in ("a.webm", "a.mp3", "a.pdf"):
        await put(house, name, b"%PDF-1.4 and no more")
    page = await visit("alice")
    await expect(page.locator("video[controls]")).to_have_attribute("aria-label", "a.webm")
    await expect(page.locator("audio[controls]")).to_have_attribute("aria-label", "a.mp3")
    link = page.get_by_role("link", name="Open a.pdf")
    await expect(link).to_have_attribute("target", "_blank")
    served = await page.evaluate(
        "url => fetch(url).then((answer) => answer.headers.get('content-disposition'))",
        await link.get_attribute("href"),
    )
    assert served.startswith("inline")


async def test_the_files_tab_finds_sorts_and_follows(visit, house: Running) -> None:
    for name, size in (("b10.txt", 10), ("b9.txt", 3000), ("报告.pdf", 200)):
        await put(house, name, b"x" * size, sender="小明" if name.startswith("b9") else "ci")
    page = await visit("alice")
    await page.get_by_role("tab", name="Files").click()
    names = page.locator(".file-link")
    await expect(names).to_have_text(["报告.pdf", "b9.txt", "b10.txt"])
    await page.get_by_label("Sort by").select_option("name")
    await expect(names).to_have_text(["b9.txt", "b10.txt", "报告.pdf"])
    await page.get_by_label("Sort by").select_option("size")
    await expect(names).to_have_text(["b9.txt", "报告.pdf", "b10.txt"])
    await put(house, "late.zip", b"x" * 9000)
    await expect(names.first).to_have_text("late.zip")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Save all as ZIP").click()
    with ZipFile(await (await download.value).path()) as archive:
        assert sorted(archive.namelist()) == ["b10.txt", "b9.txt", "late.zip", "报告.pdf"]
    await page.get_by_label("Filter by name or sender").fill("小明")
    await expect(names).to_have_text(["b9.txt"])
    await names.click()
    await expect(page.locator("[data-pointed] .card-name")).to_have_text("b9.txt")
    await page.get_by_label("Filter by name or sender").fill("no such thing")
    await expect(page.locator(".panel-note")).to_have_text("Nothing found")
