"""People at the page: spoken to, read alone, called by names of the reader's own, told how they will hear it."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

pytest.importorskip("playwright")
from playwright.async_api import Locator, Page, expect

from tests.page.acts import datagrams, lines, message, numbered, post, say
from tests.support.process import Running


def person(page: Page, name: str) -> Locator:
    return page.locator(".person", has_text=name)


async def tools(page: Page, name: str, tool: str) -> None:
    """From the list of people, by a press anywhere on the row."""
    await person(page, name).click(position={"x": 60, "y": 20})
    await person(page, name).locator(".person-tools").get_by_role("button", name=tool).click()


async def test_a_mention_goes_into_what_is_being_written_and_a_device_hears_it(visit, house: Running) -> None:
    alice, bob = await visit("alice"), await visit("bob")
    with closing(datagrams(house, "t=23.5")) as udp:
        udp.settimeout(20)
        await expect(message(alice, "t=23.5")).to_be_visible()
        await alice.get_by_label("Write a message").fill("well,")
        await tools(alice, "bob", "Mention")
        await expect(alice.get_by_label("Write a message")).to_have_value("well, @bob ")
        await expect(alice.get_by_label("Write a message")).to_be_focused()
        await alice.keyboard.type("look")
        await alice.keyboard.press("Enter")
        await expect(bob.locator(".message.named")).to_have_text(re.compile("well, @bob look"))

        name = f"udp-{udp.getsockname()[1]}"
        await person(alice, name).get_by_role("button").click()
        await expect(person(alice, name)).to_contain_text("It hears what is said in the room")
        await alice.get_by_role("button", name="Reply in the room").click()
        await expect(alice.get_by_label("Write a message")).to_be_focused()
        await alice.keyboard.type("slower please")
        await alice.keyboard.press("Enter")
        heard = b""
        while b"slower" not in heard:
            heard = udp.recv(2048)
        assert heard.decode() == f"[alice] @{name} slower please\n"


async def test_one_peer_alone_is_shown_paged_and_left_again(visit, house: Running) -> None:
    page = await visit("alice")
    with closing(datagrams(house)) as udp:
        for number in range(70):
            udp.sendto(f"reading {number}".encode(), house.address)
        await expect(message(page, "reading 69")).to_be_visible()
        name = f"udp-{udp.getsockname()[1]}"
        await numbered(house, 1, 400)  # all that the page holds are others' by now
        await expect(message(page, "line 400")).to_be_visible()
        await expect(message(page, "reading")).to_have_count(0)

        await tools(page, name, "Only theirs")
        bar = page.locator(".only-bar")
        await expect(bar).to_contain_text(f"Only what {name} sent")
        await expect(page.locator(".message").last).to_contain_text("reading 69")
        await expect(message(page, "line")).to_have_count(0)
        await page.locator(".log").evaluate("(log) => log.scrollTo(0, 0)")
        await expect(message(page, "reading")).to_have_count(70)
        await expect(page.locator(".message").first).to_contain_text("reading 0")

        await page.locator(".log").evaluate("(log) => log.scrollTo(0, log.scrollHeight)")
        await post(house, "somebody else")
        udp.sendto(b"reading 70", house.address)
        await expect(page.locator(".message").last).to_contain_text("reading 70")
        await expect(message(page, "somebody else")).to_have_count(0)

        await page.locator(".log").focus()
        await page.keyboard.press("Escape")
        await expect(bar).to_have_count(0)
        await expect(message(page, "somebody else")).to_be_visible()
        await expect(page.locator(".marker.unread")).to_have_text("2 new messages")

        # What one says is seen, and an entry is seen among those around it.
        await tools(page, name, "Only theirs")
        await expect(message(page, "reading 70")).to_be_visible()
        await say(page, "mine")
        await expect(bar).to_have_count(0)
        await expect(message(page, "mine")).to_be_visible()
        await tools(page, name, "Only theirs")
        await message(page, "reading 69").locator(".message-time").click()
        await expect(bar).to_have_count(0)
        await expect(message(page, "line 1").first).to_be_attached()
        await expect(message(page, "reading 69")).to_be_in_viewport()


async def test_what_a_host_removes_leaves_the_view_of_one_peer(visit, house: Running) -> None:
    alice, bob, eve = await visit("alice", host=True), await visit("bob"), await visit("eve")
    await say(bob, "rude")
    await say(bob, "polite")
    await expect(message(eve, "polite")).to_be_visible()
    await eve.locator("button.message-name", has_text="bob").click()
    await eve.get_by_role("dialog").get_by_role("button", name="Only theirs").click()
    await expect(eve.locator(".only-bar")).to_be_visible()
    await expect(message(eve, "rude")).to_be_visible()
    row = message(alice, "rude")
    await row.hover()
    await row.get_by_role("button", name="Delete what bob sent").click()
    await row.get_by_role("button", name="Delete for everybody?").click()
    await expect(message(eve, "rude")).to_have_count(0)
    await expect(message(eve, "polite")).to_be_visible()
    await eve.get_by_role("button", name="Show all").click()
    await expect(eve.locator(".withdrawal")).to_have_text("Host alice removed a message of bob")


async def test_curl_is_one_peer_by_its_name(visit, house: Running) -> None:
    page = await visit("小明", lang="zh-CN")
    for text, sender in (("build 1", "ci"), ("hello", "someone"), ("build 2", "ci")):
        await post(house, text, sender)
    await page.locator("button.message-name", has_text="ci").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="提及")).to_have_count(0)  # nobody is there to hear it
    await dialog.get_by_role("button", name="只看此人").click()
    await expect(page.locator(".only-bar")).to_contain_text("只看 ci 发的内容")
    await expect(page.locator(".text")).to_have_text(["build 1", "build 2"])
    await page.get_by_role("button", name="显示全部").click()
    await expect(page.locator(".text")).to_have_text(["build 1", "hello", "build 2"])


async def test_a_device_goes_by_the_readers_own_name_for_it(visit, house: Running) -> None:
    page, other = await visit("alice"), await visit("bob")
    with closing(datagrams(house, "t=23.5")) as udp, closing(datagrams(house, "t=7.0")) as second:
        names = [f"udp-{one.getsockname()[1]}" for one in (udp, second)]
        await tools(page, names[0], "My name for it")
        await page.get_by_label(f"What you call {names[0]}").fill("Greenhouse")
        await page.keyboard.press("Enter")
        await expect(message(page, "t=23.5").locator(".message-name")).to_have_text("Greenhouse")
        await expect(message(page, "t=23.5").locator(".message-name")).to_have_attribute(
            "title", f"{names[0]} · 127.0.0.1:{udp.getsockname()[1]}"
        )
        await expect(person(page, "Greenhouse").locator(".person-from")).to_contain_text(names[0])
        await expect(message(page, "t=7.0").locator(".message-name")).to_have_text(names[1])
        await expect(message(other, "t=23.5").locator(".message-name")).to_have_text(names[0])

        await page.reload()
        await expect(message(page, "t=23.5").locator(".message-name")).to_have_text("Greenhouse")
        await page.keyboard.press("Alt+4")
        await page.locator("#search-field").fill("t=23")
        await expect(page.locator(".found-name")).to_have_text("Greenhouse")
        await page.keyboard.press("Alt+1")
        # Others know it by its own name, so that is what they are told.
        await tools(page, "Greenhouse", "Reply in the room")
        await expect(page.get_by_label("Write a message")).to_have_value(f"@{names[0]} ")

        await tools(page, "Greenhouse", "My name for it")
        await page.get_by_label(f"What you call {names[0]}").fill("")
        await page.keyboard.press("Enter")
        await expect(message(page, "t=23.5").locator(".message-name")).to_have_text(names[0])
        await expect(page.locator("body")).not_to_contain_text("Greenhouse")


async def test_in_how_many_datagrams_a_text_comes_is_said_and_true(visit, house: Running) -> None:
    page = await visit("小明")
    text = "温度很高。\n" * 60 + "x" * 700
    count = page.locator(".composer-count")
    field = page.get_by_label("Write a message")
    await field.fill(text)
    await expect(count).to_have_text("")  # nobody here listens by UDP
    with closing(datagrams(house, "hi")) as udp:
        udp.settimeout(20)
        await expect(count).to_have_text("1,900 of 1,014 bytes: UDP peers get it in 2 datagrams")
        await field.fill("x" * 1014)
        await expect(count).to_have_text("")
        await say(page, text)
        await say(page, "end")
        heard: list[bytes] = []
        while b"end" not in b"".join(heard):
            heard.append(udp.recv(2048))
        said = [one for one in heard if one.startswith("[小明] ".encode())]
        assert len(said) == 2 + 1 and max(map(len, said)) <= 1024


async def test_the_files_tab_has_what_a_card_has(visit, house: Running) -> None:
    page, bob = await visit("alice"), await visit("bob")
    for one, name in ((page, "报告.txt"), (bob, "theirs.bin")):
        await one.locator(".composer input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/plain", "buffer": "一切正常".encode()}
        )
        await expect(page.locator(".message .card", has_text=name)).to_be_visible()
    await page.keyboard.press("Alt+2")
    rows = page.locator(".file-row")
    mine, theirs = rows.filter(has_text="报告.txt"), rows.filter(has_text="theirs.bin")
    await theirs.get_by_role("button", name="More about theirs.bin").click()
    await expect(theirs.get_by_role("button", name="Withdraw")).to_have_count(0)
    await expect(theirs.get_by_role("button", name="Open")).to_have_count(0)
    await theirs.get_by_role("button", name="Copy curl").click()
    await expect(page.locator(".notice").last).to_contain_text("curl -o 'theirs.bin'")
    await mine.get_by_role("button", name="More about 报告.txt").click()
    await mine.get_by_role("button", name="Copy link").click()
    await expect(page.locator(".notice").last).to_contain_text("/files/")
    await mine.get_by_role("button", name="Open 报告.txt").click()
    await expect(page.get_by_role("dialog").locator("pre")).to_have_text("一切正常")
    await page.keyboard.press("Escape")
    await mine.get_by_role("button", name="Withdraw 报告.txt").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(page.locator(".panel")).to_be_focused()
    await expect(bob.locator(".withdrawal")).to_have_text("alice withdrew a message")


async def test_a_key_that_is_pressed_before_the_page_is_awake_still_counts(visit, house: Running) -> None:
    page = await visit("小明", lang="zh-CN")
    await lines(house, "said before")
    asked: list[object] = []

    async def late(route: object) -> None:
        asked.append(route)

    for key, sign in (
        ("Control+K", "#rooms-name"),
        ("Alt+2", "#files-filter"),
        ("?", "dialog kbd"),
        ("/", "#search-field"),
    ):
        await page.route("**/static/main.js", late, times=1)
        await page.reload(wait_until="commit")
        await expect(page.locator("#first-paint")).to_contain_text("said before")
        await page.keyboard.press(key)
        await expect(page.locator(sign)).to_have_count(0)
        await asked.pop().continue_()
        await expect(page.locator(sign).first).to_be_visible()


async def test_every_key_of_the_map_does_what_it_says_in_chinese_too(visit, house: Running) -> None:
    page = await visit("小明", lang="zh-CN")
    field = page.get_by_label("写一条消息")
    await say_in(field, "第一句")
    await field.press("ArrowUp")
    await expect(field).to_have_value("第一句")
    await field.fill("")
    for number, sign in enumerate((".person", "#files-filter", ".snippet", "#search-field"), 1):
        await field.press(f"Alt+{number}")
        await expect(page.locator(sign).first).to_be_visible()
    await field.press("/")
    await expect(field).to_have_value("/")
    await field.fill("")
    async with page.expect_file_chooser():
        await field.press("Control+U")
    await field.press("Control+K")
    await expect(page.locator("#rooms-name")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.locator(".log").focus()
    await page.keyboard.press("?")
    await expect(page.locator("dialog kbd").first).to_be_visible()
    await page.keyboard.press("Escape")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("/")
    await expect(page.locator("#search-field")).to_be_focused()


async def say_in(field: Locator, text: str) -> None:
    await field.fill(text)
    await field.press("Enter")
    await expect(field).to_have_value("")
