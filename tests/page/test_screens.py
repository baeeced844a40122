"""Every screen is for everybody: both languages, both themes, both sizes, and what a screen reader needs."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.page.acts import datagrams, lines, put
from tests.page.conftest import VIEWPORTS
from tests.page.test_room import DROP_OR_PASTE, PNG
from tests.support.process import Running

HEADER = json.dumps({"file_name": "half.bin", "file_size": 1000}).encode()


# A window that is still appearing has no colours of its own yet. Bars that wander never end.
STILL = """
Promise.allSettled(
  document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 1e4).map((one) => one.finished),
).then(() => null)
"""


async def no_violations(page: Page) -> None:
    """In light and in dark. Between the two only colours change, so the second look is for those alone."""
    for scheme, options in (("light", None), ("dark", {"runOnly": ["color-contrast", "link-in-text-block"]})):
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate(STILL)
        results = await Axe().run(page, options=options)
        assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"


EVERY_SCREEN = pytest.mark.parametrize(
    ("screen", "lang"), [("desktop", "en"), ("desktop", "zh-CN"), ("phone", "en"), ("phone", "zh-CN")]
)


@EVERY_SCREEN
async def test_no_screen_shuts_anybody_out(visit, house: Running, screen: str, lang: str) -> None:
    with (
        closing(socket.create_connection(house.address)) as tcp,
        closing(socket.create_connection(house.address)) as broken,
    ):
        tcp.sendall(b"- a list\n`code` and https://example.org\n> quoted\n")
        broken.sendall(struct.pack("<i", len(HEADER)) + HEADER + b"x" * 10)
        door = await visit(screen=screen, lang=lang)
        await no_violations(door)

        page = await visit("安静的水獭", screen=screen, lang=lang)
        await expect(page.locator(".text")).to_have_count(3)
        await page.locator("textarea").fill("mine")
        await page.keyboard.press("Enter")
        await page.locator("textarea").fill("bad \u0007")
        await page.keyboard.press("Enter")
        await expect(page.locator(".refusal")).to_be_visible()
        await expect(page.locator(".transfer")).to_be_visible()
        await no_violations(page)
        broken.close()
        await expect(page.locator(".transfer.failed")).to_be_visible()
        await no_violations(page)


@EVERY_SCREEN
async def test_no_tab_and_no_window_shuts_anybody_out(visit, house: Running, screen: str, lang: str) -> None:
    await put(house, "dot.png", PNG)
    await put(house, "报告.csv", "温度,湿度\n".encode() * 9000)
    await lines(house, "Otter, see 温度\tand " + "a long text " * 150)
    page = await visit("Otter", screen=screen, lang=lang)
    await page.locator(".card-row button[aria-expanded]").first.click()
    await visit("came in", lang=lang)
    await expect(page.locator(".comings")).to_be_visible()
    await page.evaluate("document.activeElement.blur()")
    for number, sign in enumerate((".person", ".file-row", ".snippet", "#search-field"), 1):
        await page.keyboard.press(f"Alt+{number}")
        await expect(page.locator(sign).first).to_be_visible()
        if sign == "#search-field":
            await no_violations(page)
            await page.locator(sign).fill("温度")
            await expect(page.locator(".found-link")).to_have_count(1)
        await no_violations(page)
        if screen == "phone":
            await page.locator(".sheet-close").click()
            await expect(page.locator("dialog")).to_have_count(0)
    for open_it, sign in (
        (page.locator(".room-button"), ".room-link"),
        (page.locator(".share-button"), ".qr"),
        (page.locator("header .room-switches button").last, ".menu-item"),
        (page.locator("button.preview"), ".whole-picture"),
        (page.locator(".card", has_text="csv").locator(".card-row button").first, ".text-preview"),
    ):
        await open_it.click()
        await expect(page.locator(f"dialog {sign}").first).to_be_visible()
        await no_violations(page)
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.locator("kbd").first).to_be_visible()
    await no_violations(page)


@EVERY_SCREEN
async def test_nothing_about_people_shuts_anybody_out(visit, house: Running, screen: str, lang: str) -> None:
    await put(house, "dot.png", PNG)
    page = await visit("安静的水獭", screen=screen, lang=lang)
    with closing(datagrams(house, "t=23.5", "t=23.6")) as udp:
        name = f"udp-{udp.getsockname()[1]}"
        await page.locator("button.message-name", has_text=name).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.locator(".person-tools button")).to_have_count(3)
        await no_violations(page)
        for button in await dialog.get_by_role("button").all():
            box = await button.bounding_box()
            assert box and box["width"] >= 44 and box["height"] >= 44, await button.inner_text()
        await dialog.locator(".person-tools button").nth(2).click()
        await dialog.locator("input").fill("温室")
        await no_violations(page)
        await page.keyboard.press("Enter")
        await expect(page.locator("button.message-name").last).to_have_text("温室")

        if screen == "phone":
            await page.locator(".people-button").click()
        row = page.locator(".person", has_text="温室")
        await row.locator(".person-more").click()
        await expect(row.locator(".person-tools")).to_be_visible()
        await no_violations(page)
        await row.locator(".person-tools button").nth(1).click()
        await expect(page.locator(".only-bar")).to_contain_text("温室")
        await expect(page.locator(".text")).to_have_count(2)
        await page.locator("textarea").fill("word " * 300)
        await expect(page.locator(".composer-count")).not_to_be_empty()
        await no_violations(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == VIEWPORTS[screen]["width"]
        await page.locator(".only-bar button").click()

    await page.locator("textarea").evaluate(DROP_OR_PASTE, ["paste", "image.png"])
    await expect(page.locator("#paste-name")).to_be_focused()
    await no_violations(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("Alt+2")
    await page.locator(".file-row button[aria-expanded]").click()
    await expect(page.locator(".file-tools button")).to_have_count(4)
    await no_violations(page)


@EVERY_SCREEN
async def test_who_guessed_too_often_is_told_so_on_a_page(
    visit, run: Callable[..., Running], tmp_path: Path, screen: str, lang: str
) -> None:
    strict = run("--allow-host", "room.lan", "--token", "--proxy", "127.0.0.1", data=tmp_path / "strict")
    page = await visit(screen=screen, lang=lang)
    await page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.5"})
    for number in range(10):
        answer = await page.goto(f"http://room.lan:{strict.port}/j/guess-{number}")
    assert answer and answer.status == 429
    words = {"en": "None is looked at for another 24 h.", "zh-CN": "请 24 小时后再来。"}
    await expect(page.locator(".join-life")).to_contain_text(words[lang])
    await no_violations(page)
    visit.allow("status of 4(01|29)")


async def test_a_phone_has_one_column_large_targets_and_people_in_a_sheet(visit) -> None:
    page = await visit("alice", screen="phone")
    await expect(page.locator(".rail")).to_be_hidden()
    await page.get_by_role("button", name="Show people, 1 here").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.locator(".person-name bdi")).to_have_text(["alice"])
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == 390
    for button in await page.get_by_role("button").all():
        box = await button.bounding_box()
        assert box
        assert box["width"] >= 44, await button.get_attribute("aria-label")
        assert box["height"] >= 44, await button.get_attribute("aria-label")


async def test_at_twice_the_size_nothing_is_cut_off(visit, house: Running) -> None:
    await lines(house, "a line that is long enough to be broken " * 5)
    page = await visit("alice")
    await page.set_viewport_size({"width": 640, "height": 400})  # what is left of 1280 by 800 at 200 %
    await expect(page.get_by_label("Write a message")).to_be_in_viewport()
    await expect(page.locator(".room-button")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == 640
    await page.locator(".people-button").click()
    await expect(page.get_by_role("dialog").locator(".person").first).to_be_visible()


async def test_the_language_is_the_browsers_until_another_is_chosen(visit) -> None:
    page = await visit(lang="zh-CN")
    await expect(page.get_by_role("button", name="进入房间")).to_be_visible()
    await page.get_by_role("button", name="切换到 English").click()
    await expect(page.get_by_role("button", name="Enter the room")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.get_by_role("button", name="Enter the room")).to_be_visible()


async def test_light_or_dark_is_the_systems_until_one_is_chosen(visit) -> None:
    page = await visit("alice", scheme="dark")
    body = page.locator("body")
    await expect(body).to_have_css("background-color", "rgb(19, 22, 24)")
    await page.get_by_role("button", name="Switch to: light").click()
    await expect(body).to_have_css("background-color", "rgb(245, 243, 238)")
    await page.reload()
    await expect(body).to_have_css("background-color", "rgb(245, 243, 238)")


async def test_the_address_is_copied_without_a_secure_context(visit, house: Running) -> None:
    page = await visit("alice")
    assert await page.evaluate("isSecureContext") is False
    await page.get_by_role("button", name="Copy this room's address").click()
    await expect(page.locator(".notice")).to_have_text(f"Copied: http://room.lan:{house.port}/r/lobby")
    await page.locator("textarea").focus()
    await page.keyboard.press("Control+V")
    await expect(page.locator("textarea")).to_have_value(f"http://room.lan:{house.port}/r/lobby")


async def test_without_scripts_the_room_can_be_read(visit, browser, house: Running) -> None:
    page = await visit("alice")
    await page.locator("textarea").fill("<b>read me</b>")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message.mine:not(.draft)")).to_have_count(1)
    context = await browser.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(f"http://room.lan:{house.port}/r/lobby")
    await expect(plain.get_by_text("<b>read me</b>")).to_be_visible()
    await context.close()
    # Chromium's switch for tests leaves noscript unread, so its words are looked for in the source.
    source = await page.evaluate("fetch(location.href).then((answer) => answer.text())")
    assert re.search(r"<noscript>.*curl -d hello .*</noscript>", source, re.DOTALL)


async def test_nothing_on_the_page_is_an_object_that_forgot_its_words(visit) -> None:
    for lang in ("en", "zh-CN"):
        page = await visit("alice", lang=lang)
        await expect(page.locator("body")).not_to_contain_text("[object Object]")
        await expect(page.locator("body")).not_to_contain_text("undefined")
