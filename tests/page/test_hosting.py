"""A host at the page: the topic, who may speak, what is deleted, who has to go, who is let in."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
from playwright.async_api import Page, WebSocketRoute, expect

from bridge.wire.browser import encode
from tests.page.acts import message, post, say
from tests.page.test_room import DROP_OR_PASTE
from tests.page.test_screens import EVERY_SCREEN, no_violations
from tests.support.nouns import ruled


async def set_topic(host: Page, topic: str) -> None:
    await host.get_by_role("button", name="More", exact=True).click()
    await host.get_by_role("button", name="Rules of this room").click()
    await host.get_by_label("What this room is about").fill(topic)
    await host.keyboard.press("Enter")


async def test_a_lesson_is_ruled(visit, house) -> None:
    alice, bob = await visit("alice", host=True), await visit("bob")
    await say(bob, "something rude")
    await expect(message(alice, "something rude")).to_be_visible()

    await set_topic(alice, "Maths today")
    for page in (alice, bob):
        await expect(page.locator(".topic")).to_have_text("Maths today")
        await expect(page.locator(".deed")).to_have_text("alice set the topic: Maths today")
    await bob.get_by_role("button", name="What may be done about alice").click()
    await expect(bob.get_by_role("button", name="Only theirs")).to_be_visible()
    await expect(bob.get_by_role("button", name="Mute", exact=True)).to_have_count(0)
    await bob.keyboard.press("Escape")
    await expect(bob.get_by_role("button", name="Delete what")).to_have_count(0)

    row = alice.locator(".message", has_text="something rude")
    await row.hover()
    await row.get_by_role("button", name="Delete what bob sent").click()
    await row.get_by_role("button", name="Delete for everybody?").click()
    await expect(message(bob, "something rude")).to_have_count(0)
    for page in (alice, bob):
        await expect(page.locator(".withdrawal", has_text="removed")).to_have_text(
            "Host alice removed a message of bob"
        )

    tools = alice.get_by_role("button", name="What may be done about bob")
    await tools.click()
    await alice.get_by_role("button", name="Mute", exact=True).click()
    await expect(bob.locator(".composer-shut")).to_have_text("A host has muted you here. You can read on.")
    await expect(alice.locator(".muted-mark")).to_have_text("muted")
    await tools.click()
    await alice.get_by_role("button", name="Let speak").click()
    await expect(bob.get_by_label("Write a message")).to_be_visible()

    await tools.focus()
    await alice.keyboard.press("Enter")
    for _ in range(4):  # over what everybody may do
        await alice.keyboard.press("Tab")
    await alice.keyboard.press("Enter")
    await alice.get_by_label("Another name for bob").fill("Robert")
    await alice.keyboard.press("Enter")
    await expect(bob.locator(".person-name", has_text="you")).to_contain_text("Robert")

    await alice.get_by_role("button", name="More", exact=True).click()
    await alice.get_by_role("button", name="Rules of this room").click()
    await alice.get_by_role("switch", name="Only hosts speak").click()
    await expect(bob.locator(".composer-shut")).to_have_text("Only hosts speak here just now.")
    await alice.keyboard.press("Escape")
    await say(alice, "now listen")
    await expect(message(bob, "now listen")).to_be_visible()
    await bob.reload()
    await expect(bob.locator(".composer-shut")).to_have_text("Only hosts speak here just now.")
    await bob.locator(".log").evaluate(DROP_OR_PASTE, ["drop", "notes.txt"])
    await expect(bob.locator(".notice.bad")).to_contain_text("Only hosts speak here just now.")
    await expect(bob.locator(".transfer")).to_have_count(0)
    await expect(bob.locator(".topic")).to_have_text("Maths today")

    await alice.get_by_role("button", name="What may be done about Robert").click()
    await alice.get_by_role("button", name="Remove", exact=True).click()
    await alice.get_by_role("button", name="Remove for 10 minutes?").click()
    await expect(bob.locator(".banner")).to_contain_text("A host removed you from this room")
    await expect(bob.locator(".connection.shut")).to_be_visible()
    await expect(alice.get_by_role("button", name="What may be done about")).to_have_count(0)


@EVERY_SCREEN
async def test_what_a_host_sees_shuts_nobody_out(visit, house, screen: str, lang: str) -> None:
    """Knocks come from a server that has strangers at its door; here they are spoken into the socket."""
    page = await visit("安静的水獭", screen=screen, lang=lang, host=True)
    heard: list[dict[str, object]] = []

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda said: (heard.extend(map(json.loads, str(said).split("\n"))), server.send(said)))
        server.on_message(socket.send)
        sockets.append(socket)

    sockets: list[WebSocketRoute] = []
    await page.route_web_socket("**/ws?*", between)
    await page.reload()
    await expect(page.locator(".connection.open")).to_be_visible()
    await post(house, "hello from a device", "sensor")
    for number in (1, 2):
        knock = {
            "type": "knock",
            "id": f"k{number}",
            "via": "udp",
            "addr": f"192.168.1.3{number}:5000",
            "text": "hello",
        }
        sockets[-1].send(json.dumps(knock))
    await expect(page.locator(".knock")).to_have_count(2)
    await expect(page.locator(".knock").first).to_contain_text("192.168.1.31:5000")
    await no_violations(page)
    box = await page.locator(".knock-answers button").first.bounding_box()
    assert box and box["height"] >= 44
    await page.locator(".knock").first.get_by_role("button").nth(1).click()
    await page.locator(".knock").last.get_by_role("button").nth(2).click()
    await expect(page.locator(".knock")).to_have_count(2)
    sockets[-1].send(json.dumps({"type": "knock", "id": "k1", "answered": "admitted"}))
    sockets[-1].send(json.dumps({"type": "knock", "id": "k2", "answered": "refused"}))
    await expect(page.locator(".knock")).to_have_count(0)
    assert heard[-2:] == [{"type": "admit", "id": "k1", "always": True}, {"type": "refuse", "id": "k2"}]

    laid_down = ruled(10_000, topic="数学")
    sockets[-1].send(encode(laid_down).decode())
    await page.locator(".topic-button").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await no_violations(page)


@EVERY_SCREEN
async def test_rules_guests_and_the_tools_of_a_host_shut_nobody_out(visit, house, screen: str, lang: str) -> None:
    page = await visit("安静的水獭", screen=screen, lang=lang, host=True)
    await page.locator("header .room-switches button").last.click()
    await page.locator("dialog .menu-item").first.click()
    await page.locator("dialog [role=switch]").click()
    await page.locator("#room-pin").fill("4711")
    await page.keyboard.press("Enter")
    await expect(page.locator(".deed")).to_have_count(2)
    await no_violations(page)
    await page.keyboard.press("Escape")

    guest = await visit(screen=screen, lang=lang)
    await no_violations(guest)
    await guest.locator("#pin").fill("0000")
    await guest.keyboard.press("Enter")
    await expect(guest.locator("#pin-wrong")).not_to_be_empty()
    await no_violations(guest)
    await guest.locator("#pin").fill("4711")
    await guest.keyboard.press("Enter")
    await guest.locator("#join-name").press("Enter")
    await expect(guest.locator(".composer-shut")).to_be_visible()
    await no_violations(guest)
    visit.allow("status of 403")

    if screen == "phone":
        await page.locator(".people-button").click()
    for step in (1, 2, 3):  # what may be done; another name; sure?
        await page.locator(".person-more").first.click()
        await expect(page.locator(".host-tools")).to_be_visible()
        if step > 1:
            await page.locator(".host-tools button").nth(step - 1).click()
        await no_violations(page)
        await page.locator(".person-more").first.click()


async def test_a_room_with_a_pin_shows_nothing_until_it_is_right(visit, house) -> None:
    alice = await visit("alice", host=True)
    await say(alice, "a secret of ours")
    await alice.get_by_role("button", name="More", exact=True).click()
    await alice.get_by_role("button", name="Rules of this room").click()
    await alice.get_by_label("A PIN for who enters").fill("geheim-中")
    await alice.keyboard.press("Enter")
    await expect(alice.locator(".deed")).to_have_text("alice set a PIN for who enters")
    await no_violations(alice)

    bob = await visit(scheme="dark", lang="zh-CN")
    await expect(bob.locator("#pin")).to_be_focused()
    field, button = [await bob.locator(what).bounding_box() for what in ("#pin", ".main-button")]
    assert field and button and field["width"] == button["width"]
    await no_violations(bob)
    await bob.keyboard.type("0000")
    await bob.keyboard.press("Enter")
    await expect(bob.locator("#pin-wrong")).to_have_text("PIN 码不对。")
    assert "a secret of ours" not in await bob.content()
    await bob.locator("#pin").fill("geheim-中")
    await bob.keyboard.press("Enter")
    await bob.locator("#join-name").fill("bob")
    await bob.keyboard.press("Enter")
    await expect(message(bob, "a secret of ours")).to_be_visible()
    await bob.reload()
    await expect(message(bob, "a secret of ours")).to_be_visible()
    await expect(bob.locator(".room-switches")).to_be_visible()

    await alice.get_by_label("Another PIN for who enters").fill("another")
    await alice.keyboard.press("Enter")
    await expect(alice.locator(".deed")).to_have_count(2)
    house.kill()
    house.start()
    await bob.locator(".banner button").click()
    await expect(bob.locator("#pin")).to_be_visible()
    visit.allow("403|ERR_CONNECTION|WebSocket")
