"""Everybody in one room: browsers, datagrams, lines, curl and files, seen in the page."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest

pytest.importorskip("playwright")
from playwright.async_api import Locator, Page, expect

from tests.support.process import Running


def message(page: Page, text: str) -> Locator:
    return page.locator(".message", has_text=text)


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")


async def test_two_browsers_meet_and_talk(visit) -> None:
    door = await visit()
    await expect(door.locator(".join-life")).to_have_text("Nobody here yet")
    await door.keyboard.type("alice")
    await door.keyboard.press("Enter")
    alice, bob = door, await visit("bob")
    await expect(alice.locator(".rail .person-name bdi")).to_have_text(["alice", "bob"])

    await say(alice, "hello **bob**")
    await expect(message(bob, "hello bob").locator("strong")).to_have_text("bob")
    await expect(message(bob, "hello bob").locator(".badge")).to_have_text("WEB")
    mine = message(alice, "hello bob")
    await expect(mine).to_have_class("message mine first")
    await expect(mine.locator("time")).to_be_visible()

    await bob.get_by_label("Write a message").press_sequentially("so")
    await expect(alice.locator(".typing")).to_have_text("bob is writing…")
    await say(bob, "so be it")
    await expect(message(alice, "so be it")).not_to_have_class("message mine first")
    await expect(alice.locator(".typing")).to_have_text("")


async def test_who_was_here_before_is_remembered(visit) -> None:
    page = await visit()
    await page.get_by_label("Your name").fill("小明")
    await page.get_by_role("button", name="Enter the room").click()
    await say(page, "mine")
    await expect(message(page, "mine").locator("time")).to_be_visible()
    await page.get_by_label("Write a message").fill("half a tho")
    await page.reload()
    await expect(page.locator(".connection.open")).to_be_visible()
    await expect(page.locator(".rail .person-name bdi")).to_have_text(["小明"])
    await expect(message(page, "mine")).to_have_class("message mine first")
    await expect(page.get_by_label("Write a message")).to_have_value("half a tho")

    again = await page.context.new_page()
    visit.listen(again)
    await again.goto(page.url)
    await expect(again.get_by_label("Your name")).to_have_value("小明")
    await expect(again.locator(".join-life")).to_contain_text("1 person · last message")


async def test_a_name_can_be_changed_in_the_room(visit) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    await alice.locator(".rail").get_by_role("button", name="Change your name").click()
    await alice.locator(".rail").get_by_label("Your name").fill("Zoë")
    await alice.keyboard.press("Enter")
    await expect(bob.locator(".rail .person-name bdi")).to_have_text(["bob", "Zoë"])


async def test_sockets_and_curl_speak_under_their_badges(visit, house: Running) -> None:
    page = await visit("alice")
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.sendto("t=23.5 温度\n".encode(), house.address)
        await expect(message(page, "t=23.5 温度").locator(".badge.via-udp")).to_have_text("UDP")
        await expect(page.locator(".rail .person .via-udp")).to_be_visible()
    with closing(socket.create_connection(house.address)) as tcp:
        tcp.sendall(b"a line\r\n")
        await expect(message(page, "a line").locator(".badge.via-tcp")).to_have_text("TCP")
    url = f"{house.url}r/lobby"
    subprocess.run(["curl", "-sS", "--fail", "-H", "X-Name: ci", "-d", "build is green", url], check=True)
    await expect(message(page, "build is green").locator(".badge.via-http")).to_have_text("HTTP")
    await expect(message(page, "build is green").locator(".message-name")).to_have_text("ci")


async def test_a_raw_file_is_a_live_card_for_everyone_and_then_a_row(visit, house: Running) -> None:
    pages = [await visit("alice"), await visit("bob")]
    body = b"x" * 400_000
    header = json.dumps({"file_name": "固件.bin", "file_size": len(body)}).encode()
    with closing(socket.create_connection(house.address)) as tcp:
        tcp.sendall(struct.pack("<i", len(header)) + header + body[:100_000])
        for page in pages:
            card = page.locator(".transfer", has_text="固件.bin")
            await expect(card.locator(".card-progress")).to_contain_text("97.7 KiB of 391 KiB")
            await expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
            await expect(card.locator(".badge")).to_have_text("TCP")
        tcp.sendall(body[100_000:300_000])
        await expect(pages[0].locator(".card-progress")).to_contain_text("293 KiB of 391 KiB")
        late = await visit("late")
        await expect(late.locator(".card-progress")).to_contain_text("293 KiB of 391 KiB")
        tcp.sendall(body[300_000:])
    for page in [*pages, late]:
        await expect(page.locator(".message .card", has_text="固件.bin")).to_contain_text("391 KiB")
        await expect(page.locator(".transfer")).to_have_count(0)
    async with pages[0].expect_download() as download:
        await pages[0].get_by_role("link", name="Save 固件.bin").click()
    path = await (await download.value).path()
    assert path.read_bytes() == body
    assert (await download.value).suggested_filename == "固件.bin"


async def test_a_sender_that_breaks_off_leaves_a_red_card_to_dismiss(visit, house: Running) -> None:
    page, chinese = await visit("alice"), await visit("小明", lang="zh-CN")
    header = json.dumps({"file_name": "half.bin", "file_size": 1000}).encode()
    with closing(socket.create_connection(house.address)) as tcp:
        tcp.sendall(struct.pack("<i", len(header)) + header + b"x" * 400)
        await expect(page.locator(".transfer")).to_contain_text("400 B of 1,000 B")
    card = page.locator(".transfer.failed")
    await expect(card.get_by_role("alert")).to_have_text("The sender broke off.")
    await expect(card).to_contain_text("400 B of 1,000 B")
    await expect(chinese.get_by_role("alert")).to_have_text("发送方中断了传送。")
    await card.get_by_role("button", name="Dismiss half.bin").click()
    await expect(page.locator(".transfer")).to_have_count(0)


async def test_a_file_from_the_page_arrives_and_a_picture_is_shown(visit) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    await (
        alice.get_by_label("Send files")
        .and_(alice.locator("input"))
        .set_input_files(
            [
                {"name": "报告.txt", "mimeType": "text/plain", "buffer": "一切正常".encode()},
                {"name": "dot?.png", "mimeType": "image/png", "buffer": PNG},
            ]
        )
    )
    await expect(alice.locator(".message.mine .card", has_text="报告.txt")).to_contain_text("12 B")
    await expect(alice.locator(".transfer")).to_have_count(0)
    await expect(bob.locator(".message .badge")).to_have_text(["WEB"])  # one heading for both
    await expect(bob.locator(".message-name")).to_have_text("alice")
    await expect(bob.locator(".preview img")).to_have_js_property("naturalWidth", 1)
    async with bob.expect_download() as download:
        await bob.get_by_role("link", name="Save 报告.txt").click()
    assert (await (await download.value).path()).read_text(encoding="utf-8") == "一切正常"


async def test_a_pasted_picture_and_a_dropped_file_are_sent(visit) -> None:
    page = await visit("alice")
    for kind, name in (("paste", "table.csv"), ("drop", "notes.txt")):
        await page.locator(".log").evaluate(DROP_OR_PASTE, [kind, name])
    await page.locator("textarea").evaluate(DROP_OR_PASTE, ["paste", "image.png"])
    await expect(page.get_by_role("dialog").get_by_label("Its name")).to_have_value(re.compile(r"pasted-.*\.png"))
    await expect(page.get_by_label("Its name")).to_be_focused()
    await page.keyboard.type("whiteboard")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator("textarea").evaluate(DROP_OR_PASTE, ["paste", "image.png"])
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    names = page.locator(".message .card-name")  # two uploads at once: either may be the first
    for name in ("whiteboard.png", "table.csv", "notes.txt"):
        await expect(names.filter(has_text=name)).to_have_count(1)
    await expect(names).to_have_count(3)


async def test_a_refused_upload_says_why_and_can_be_cancelled(visit, run: Callable[..., Running]) -> None:
    page = await visit("alice")

    async def full(route) -> None:
        body = {"title": "full", "status": 507, "code": "disk_full", "detail": "no space"}
        await route.fulfill(status=507, content_type="application/problem+json", json=body)

    await page.route("**/*.bin", full, times=1)
    await page.locator("input[type=file]").set_input_files({"name": "a.bin", "mimeType": "", "buffer": b"1234"})
    failure = page.locator(".transfer.failed")
    await expect(failure.get_by_role("alert")).to_have_text(
        "There is no room left: on the server, or in your share of it. Something has to be deleted first."
    )
    visit.allow("status of 507")
    await failure.get_by_role("button", name="Send a.bin again").click()
    await expect(page.locator(".message .card", has_text="a.bin")).to_contain_text("4 B")
    await expect(page.locator(".transfer")).to_have_count(0)


async def test_markup_and_tricks_from_a_datagram_are_text(visit, house: Running) -> None:
    page = await visit("alice")
    attacks = [
        "<img src=x onerror=alert(1)>",
        "<script>alert(2)</script>",
        "[click](javascript:alert(3))",
        "<svg/onload=alert(4)> **still bold**",
        "![p](http://room.lan/x.png) <a href='javascript:alert(5)'>y</a>",
        ">" * 2000,
    ]
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        for attack in attacks:
            udp.sendto(attack.encode(), house.address)
    for attack in attacks[:3]:
        await expect(page.locator(".text").get_by_text(attack, exact=True)).to_be_visible()
    await expect(page.locator(".text strong")).to_have_text("still bold")
    await expect(page.locator(".text").last).to_have_text(attacks[-1])
    await expect(page.locator(".text img, .text script, .text svg, .text a")).to_have_count(0)
    await page.reload()  # the same, as the server draws it
    await expect(page.locator(".text strong")).to_have_text("still bold")


async def test_links_leave_without_taking_anything_along(visit) -> None:
    page = await visit("alice")
    await say(page, "see https://example.org/a?b=1&c=2 or mail me@example.org")
    links = page.locator(".text a")
    await expect(links).to_have_count(2)
    await expect(links.first).to_have_attribute("href", "https://example.org/a?b=1&c=2")
    await expect(links.first).to_have_attribute("rel", "noopener noreferrer")
    await expect(links.first).to_have_attribute("target", "_blank")


async def test_enter_that_ends_a_composition_says_nothing(visit) -> None:
    page = await visit("alice")
    field = page.get_by_label("Write a message")
    await field.fill("ni hao")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await expect(field).to_have_value("ni hao\nsecond line")
    await page.keyboard.press("Enter")
    await expect(message(page, "second line")).to_have_count(1)
    await expect(field).to_have_value("")


async def test_a_text_that_is_too_long_is_counted_and_kept(visit) -> None:
    page = await visit("alice")
    await page.get_by_label("Write a message").fill("字" * 5462)
    await expect(page.locator(".composer-count")).to_have_text("16,386 of 16,384 bytes")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await expect(page.locator(".message")).to_have_count(0)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
DROP_OR_PASTE = """
(area, [kind, name]) => {
  const data = new DataTransfer();
  data.items.add(new File(["hello"], name));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...options, clipboardData: data })
    : new DragEvent("drop", { ...options, dataTransfer: data });
  area.dispatchEvent(event);
}
"""
