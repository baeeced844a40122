"""Taking back in the page: by mouse, by keyboard, by touch; gone for everybody, now and after a reload."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
from playwright.async_api import Page, expect

from tests.page.test_screens import no_violations
from tests.support.peers import eventually
from tests.support.process import Running


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".draft")).to_have_count(0)


async def texts(page: Page, *expected: str) -> None:
    await expect(page.locator(".text")).to_have_text(list(expected))


async def test_a_message_is_withdrawn_for_everybody_and_stays_so(visit) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    for text in ("first", "oops", "last"):
        await say(alice, text)
    await say(bob, "bob's own")
    await texts(bob, "first", "oops", "last", "bob's own")
    await expect(bob.get_by_role("button", name="Withdraw this message")).to_have_count(1)

    row = alice.locator(".message", has_text="oops")
    await row.hover()
    button = row.get_by_role("button", name="Withdraw this message")
    await button.click()
    await texts(alice, "first", "oops", "last", "bob's own")
    await row.get_by_role("button", name="Withdraw?").click()
    for page in (alice, bob):
        await texts(page, "first", "last", "bob's own")
        await expect(page.locator(".withdrawal")).to_have_text("alice withdrew a message")
        await page.reload()
        await texts(page, "first", "last", "bob's own")
        await expect(page.locator(".withdrawal")).to_have_text("alice withdrew a message")
        await expect(page.get_by_role("button", name="Show older messages")).to_have_count(0)
    await expect(alice.get_by_role("button", name="Withdraw this message")).to_have_count(2)


async def test_the_question_and_the_trace_shut_nobody_out(visit) -> None:
    page = await visit("alice")
    for text in ("oops", "stays"):
        await say(page, text)
    for words in ("Withdraw this message", "Withdraw?"):
        await page.get_by_role("button", name=words).first.click()
    await expect(page.locator(".withdrawal")).to_be_visible()
    await page.get_by_role("button", name="Withdraw this message").click()
    await expect(page.get_by_role("button", name="Withdraw?")).to_have_css("opacity", "1")
    await no_violations(page)


async def test_the_keyboard_reaches_it_may_think_again_and_keeps_its_place(visit) -> None:
    page = await visit("alice", lang="zh-CN")
    await page.locator("textarea").fill("打错了")
    await page.keyboard.press("Enter")
    await expect(page.locator(".draft")).to_have_count(0)
    await page.locator(".log").focus()
    await page.keyboard.press("Tab")  # to its time, which is its address
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="撤回这条消息")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="撤回？")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="撤回这条消息")).to_be_focused()
    await texts(page, "打错了")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator(".withdrawal")).to_have_text("alice 撤回了 1 条消息")
    await expect(page.locator(".log")).to_be_focused()


async def test_a_finger_withdraws_a_file_that_was_its_own(visit, house: Running) -> None:
    page, other = await visit("alice", screen="phone"), await visit("bob")
    picked = {"name": "报告.txt", "mimeType": "text/plain", "buffer": b"hello"}
    await page.locator("input[type=file]").set_input_files(picked)
    await expect(other.locator(".message .card")).to_contain_text("报告.txt")
    await expect(other.get_by_role("button", name="Withdraw 报告.txt")).to_have_count(0)
    button = page.get_by_role("button", name="Withdraw 报告.txt")
    box = await button.bounding_box()
    assert box and box["width"] >= 44 and box["height"] >= 44
    await button.tap()
    await page.get_by_role("button", name="Withdraw?").tap()
    for one in (page, other):
        await expect(one.locator(".card")).to_have_count(0)
        await expect(one.locator(".withdrawal")).to_have_text("alice withdrew a message")
    await eventually(lambda: not [path for path in (house.data / "files").rglob("*") if path.is_file()])


async def test_others_take_theirs_back_from_any_socket(visit, house: Running) -> None:
    page = await visit("alice")
    with closing(socket.create_connection(house.address)) as tcp:
        for words in ("/nick bob", "one", "two", "three"):
            tcp.sendall(f"{words}\n".encode())
        await texts(page, "one", "two", "three")
        tcp.sendall(b"/undo\n")
        await texts(page, "one", "two")
        tcp.sendall(b"four\n/undo\n")
        await expect(page.locator(".withdrawal")).to_have_text("bob withdrew 2 messages")
    await texts(page, "one", "two")
