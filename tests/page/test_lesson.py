"""A lesson in the room: who is here, who has gone, who was called, and what is kept of it afterwards."""

from __future__ import annotations

import csv
import re
import socket
from contextlib import closing
from urllib.parse import quote

import pytest
import zxingcpp

pytest.importorskip("playwright")
from playwright.async_api import expect

from tests.page.acts import datagrams, lines, message, numbered, put, say
from tests.support.process import Running


async def test_the_conversation_and_who_was_here_are_saved(visit, house: Running) -> None:
    await numbered(house, 1, 600)
    with closing(datagrams(house, "/nick =cmd", "t=23.5\nrh=61")):
        page = await visit("小明")
        await put(house, "报告.pdf", b"123", sender="老师")
        await expect(page.locator(".card-name")).to_have_text("报告.pdf")
        await page.get_by_role("button", name="More", exact=True).click()
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save the conversation").click()
        assert (await download.value).suggested_filename == "lobby.txt"
        said = (await (await download.value).path()).read_text(encoding="utf-8").splitlines()
        assert len(said) == 603
        assert said[0].endswith("] line 1")
        assert said[600].endswith("[=cmd] t=23.5")
        assert said[601] == "    rh=61"
        assert "[老师] → 报告.pdf (3 B) http://room.lan" in said[602]
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save who was here").click()
        table = (await (await download.value).path()).read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(table.splitlines()))
        assert [(row["name"], row["via"], row["texts"], row["files"]) for row in rows[1:]] == [
            ("'=cmd", "udp", "1", "0"),
            ("老师", "http", "0", "1"),
            ("小明", "web", "0", "0"),
        ]


async def test_large_letters_leave_the_conversation_alone_on_the_screen(visit, house: Running) -> None:
    await lines(house, "Please open page 12")
    page = await visit("alice")
    small = await page.locator(".text").evaluate("text => parseFloat(getComputedStyle(text).fontSize)")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Large letters").click()
    await page.keyboard.press("Escape")
    await expect(page.locator(".rail")).to_be_hidden()
    assert await page.locator(".text").evaluate("text => parseFloat(getComputedStyle(text).fontSize)") == small * 1.5
    assert await page.evaluate("document.documentElement.scrollWidth") == 1280


async def test_a_device_that_is_silent_fades_and_who_leaves_is_said_to_have_left(visit, house: Running) -> None:
    page = await visit("alice")
    with closing(datagrams(house, "/nick sensor", "t=1")):
        sensor = page.locator(".rail .person", has_text="sensor")
        await expect(sensor.get_by_role("img", name="active")).to_be_visible()
        with closing(socket.create_connection(house.address)) as tcp:
            tcp.sendall(b"/nick teacher\nhello\n")
            await expect(page.locator(".rail .person bdi", has_text="teacher")).to_be_visible()
        await expect(page.locator(".rail .person.gone")).to_contain_text("teacher")
        await page.clock.install()
        await page.clock.fast_forward(120_000)
        await expect(sensor.get_by_role("img", name="quiet")).to_be_visible()
        await expect(sensor).to_contain_text("last heard 2 min. ago")
        assert 0.75 <= float(await sensor.evaluate("row => getComputedStyle(row).opacity")) < 1
        await expect(page.locator(".rail .person:not(.gone)", has_text="sensor")).to_have_count(1)


async def test_who_comes_and_goes_is_one_line_between_two_messages(visit, house: Running) -> None:
    page = await visit("alice")
    await say(page, "before")
    bob, carol = await visit("bob"), await visit("carol")
    await expect(page.locator(".comings")).to_have_text("bob and carol came in")
    await carol.context.close()
    await expect(page.locator(".comings")).to_have_text("bob came in")
    await say(bob, "after")
    await expect(message(page, "after")).to_be_visible()
    await bob.context.close()
    await expect(page.locator(".comings")).to_have_text(["bob came in", "bob left"])


async def test_who_is_named_sees_it_in_the_log_and_on_the_tab(visit, house: Running) -> None:
    page = await visit("Otter")
    await lines(house, "otters are nice", "ask OTTER about it")
    await expect(page.locator(".message.named")).to_have_count(1)
    await expect(page.locator(".message.named")).to_contain_text("ask OTTER about it")
    await page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    await lines(house, "otter, come here", "and another thing")
    await expect(page).to_have_title("(@1 · 2) lobby · roombridge")
    await page.evaluate("""() => {
        delete document.hidden;
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    await expect(page).to_have_title("lobby · roombridge")
    await expect(page.locator(".marker.unread")).to_have_text("2 new messages")


async def test_a_long_text_is_folded_until_it_is_wanted(visit) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    await say(alice, "\n".join(f"{number}." for number in range(40)))
    fold = bob.locator(".folded")
    await expect(fold).to_be_visible()
    height = (await fold.bounding_box())["height"]
    await bob.get_by_role("button", name="Show all").click()
    assert (await bob.locator(".unfolded").bounding_box())["height"] > height * 2
    await bob.get_by_role("button", name="Show less").click()
    await expect(fold).to_be_visible()


async def test_the_keyboard_has_a_map_and_the_map_is_true(visit) -> None:
    page = await visit("alice")
    await say(page, "first try")
    await expect(message(page, "first try").locator("time")).to_be_visible()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_label("Write a message")).to_have_value("first try")
    await page.get_by_label("Write a message").fill("")
    await page.locator(".log").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard").locator("kbd")).to_have_count(13)
    await page.keyboard.press("Escape")
    for number, name in enumerate(("People", "Files", "Connect", "Search"), 1):
        await page.keyboard.press(f"Alt+{number}")
        await expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_label("Search this room")).to_be_focused()
    await page.get_by_role("tab", name="Search").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="People")).to_be_focused()
    choosing = page.locator("input[type=file]")
    await choosing.evaluate("input => input.addEventListener('click', () => { input.dataset.asked = 'yes'; })")
    await page.keyboard.press("Control+U")
    await expect(choosing).to_have_attribute("data-asked", "yes")


async def test_a_camera_reads_the_address_from_the_wall(visit, house: Running) -> None:
    page = await visit("小明", room="实验室")
    await page.locator("header").get_by_role("button", name="Invite").click()
    code = page.get_by_role("dialog", name="Invite").get_by_role("img")
    assert read(await code.get_attribute("viewBox"), await code.locator("path").get_attribute("d")) == (
        f"http://room.lan:{house.port}/r/{quote('实验室')}"
    )
    await page.get_by_role("dialog").get_by_role("button", name="Copy this room's address").click()
    await expect(page.locator(".notice")).to_contain_text(f"Copied: http://room.lan:{house.port}/r/")
    await page.get_by_role("button", name="Lines for terminals and devices").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(".snippet").first).to_be_visible()


def read(view: str, path: str) -> str:
    """What a camera makes of these modules, four by four pixels each."""
    side = int(view.split()[-1])
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1Z", path)}
    rows = (bytes(0 if (x // 4, y // 4) in dark else 255 for x in range(side * 4)) for y in range(side * 4))
    picture = memoryview(b"".join(rows)).cast("B", (side * 4, side * 4))
    return zxingcpp.read_barcode(picture).text


async def test_lines_for_devices_have_the_address_in_them(visit, house: Running) -> None:
    page = await visit("alice")
    await page.get_by_role("tab", name="Connect").click()
    snippets = page.locator(".snippet pre")
    await expect(snippets.nth(0)).to_have_text(f"nc -u room.lan {house.port}")
    await expect(snippets.nth(2)).to_have_text(f"curl -d 'hello' http://room.lan:{house.port}/r/lobby")
    await page.get_by_role("button", name="Copy: TCP lines").click()
    await expect(page.locator(".notice")).to_have_text(f"Copied: nc room.lan {house.port}")
