"""Stage a lively room on a real server and take the pictures in docs/screens/.

Run it by hand after the page has changed: `python scripts/screenshots.py`. It needs what the page's tests need.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
import sys
import tempfile
import urllib.request
import zlib
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.page.conftest import FLAGS, HOST_RULE, chromium
from tests.support.process import CHECKOUT, Running

SCREENS = CHECKOUT / "docs" / "screens"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
FIRMWARE_BYTES = 6_000_000


async def main() -> None:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        house = Running(Path(folder) / "data", "--allow-host", "room.lan")
        stack.callback(house.close)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, HOST_RULE])
            await stage(stack, house, browser)
            me = await enter(house, browser, "小明", viewport=DESKTOP)
            await say(me, "Got it, flashing as soon as it is here.")
            mine = {"storage_state": await me.context.storage_state()}  # the same person on every screen
            await me.context.close()
            desk, phone = {"viewport": DESKTOP, **mine}, {"viewport": PHONE, "has_touch": True, **mine}
            await shoot(house, browser, "room", **desk)
            await shoot(house, browser, "dark", color_scheme="dark", **desk)
            await shoot(house, browser, "chinese", locale="zh-CN", **desk)
            await shoot(house, browser, "phone", device_scale_factor=2, **phone)
            await shoot(house, browser, "people-phone", open_people, color_scheme="dark", locale="zh-CN", **phone)
            await shoot(house, browser, "search", search, **desk)
            await shoot(house, browser, "files", open_files, color_scheme="dark", **desk)
            await shoot(house, browser, "connect", open_connect, locale="zh-CN", **desk)
            await shoot(house, browser, "share", open_share, **desk)
            await shoot(house, browser, "rooms", open_rooms, **desk)
            await shoot(house, browser, "menu-phone", open_menu, **phone)
            await shoot(house, browser, "keyboard", open_help, color_scheme="dark", **desk)
            await shoot(house, browser, "picture", open_picture, **desk)
            await shoot(house, browser, "person", meet, **desk)
            await shoot(house, browser, "one-peer-phone", read_alone, locale="zh-CN", **phone)
            await shoot(house, browser, "projector", enlarge, **desk)
            await shoot(house, browser, "empty", room="实验室", locale="zh-CN", **desk)
            await shoot(house, browser, "busy", missed, room="lobby", **desk)
            await shoot_door(house, browser)
            await shoot_class(stack, Path(folder) / "class", browser)
            await shoot(house, browser, "offline", lambda page: lose(page, house), **desk)
            await browser.close()


async def stage(stack: ExitStack, house: Running, browser: Browser) -> None:
    """Somebody of every kind says something; one file is here, another half way."""
    otter = await enter(house, browser, "Quiet Otter", viewport=DESKTOP)
    await say(otter, "Morning! Who else is on **bench 3** today?")

    lines = stack.enter_context(closing(socket.create_connection(house.address)))
    lines.sendall("/nick 老师\n我在。TCP 终端一切正常。\n".encode())
    await expect(otter.locator(".message").last).to_contain_text("TCP 终端")

    sensor = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    for datagram in ("/nick greenhouse", "t=23.5 rh=61", "t=23.6 rh=60"):
        sensor.sendto(datagram.encode(), house.address)
    await expect(otter.locator(".message").last).to_contain_text("23.6")

    post(f"{house.url}r/lobby", b"build 214 **passed**: `firmware.bin` follows", {"X-Name": "ci"}, "POST")
    report = "温度,湿度\n23.5,61\n".encode() * 900
    post(f"{house.url}r/lobby/%E6%8A%A5%E5%91%8A.csv", report, {"X-Name": "ci"}, "PUT")

    for room in ("lab", "实验室-2"):
        post(f"{house.url}r/{quote(room)}", b"hello", {"X-Name": "ci"}, "POST")
    post(f"{house.url}r/lobby/bench.png", picture(), {"X-Name": "ci"}, "PUT")

    sender = stack.enter_context(closing(socket.create_connection(house.address)))
    header = json.dumps({"file_name": "firmware.bin", "file_size": FIRMWARE_BYTES, "sender": "bench-3"}).encode()
    sender.sendall(struct.pack("<i", len(header)) + header)
    for _ in range(40):  # slowly, like a small device
        sender.sendall(bytes(FIRMWARE_BYTES // 100))
        await asyncio.sleep(0.05)
    await expect(otter.locator(".transfer")).to_contain_text("2.3 MiB of 5.7 MiB")


async def arrive(house: Running, browser: Browser, token: str = "", **options: object) -> Page:
    page = await (await browser.new_context(**options)).new_page()
    if token:
        await page.goto(f"http://room.lan:{house.port}/j/{token}")
    return page


async def enter(
    house: Running, browser: Browser, name: str, room: str = "lobby", token: str = "", **options: object
) -> Page:
    page = await arrive(house, browser, token, **options)
    await page.goto(f"http://room.lan:{house.port}/r/{room}?name={name}")
    await expect(page.locator(".connection.open")).to_be_visible()
    await expect(
        page.locator(".rail:visible, .people-button:visible").first
    ).to_be_visible()  # it comes after the words
    await page.wait_for_load_state("networkidle")
    return page


async def say(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".draft")).to_have_count(0)


async def shoot(
    house: Running,
    browser: Browser,
    screen: str,
    act: Callable[[Page], Awaitable[object]] | None = None,
    room: str = "lobby",
    **options: object,
) -> None:
    page = await enter(house, browser, "小明", room=room, **options)
    if act:
        await act(page)
    await keep(page, screen)


async def shoot_door(house: Running, browser: Browser) -> None:
    page = await (await browser.new_context(viewport=DESKTOP)).new_page()
    await page.goto(f"http://room.lan:{house.port}/r/lobby")
    await expect(page.locator(".join-card")).to_be_visible()
    await keep(page, "door")


async def shoot_class(stack: ExitStack, data: Path, browser: Browser) -> None:
    """A server that asks for a token: its host at work, and who stands before its doors."""
    house = Running(data, "--token", "--allow-host", "room.lan")
    stack.callback(house.close)
    token, host_token = ((data / name).read_text().strip() for name in ("token", "host-token"))
    host = await enter(house, browser, "老师", token=host_token, viewport=DESKTOP)
    await rule(host, "#room-topic", "Temperature sensors, 10 to 12")
    pupil = await enter(house, browser, "小明", token=token, viewport=DESKTOP)
    await say(pupil, "Mine says `t=23.5`. Is that right?")
    await say(host, "It is. Who else has one?")
    stranger = stack.enter_context(closing(socket.create_connection(house.address)))
    stranger.sendall("我是三号台，可以进来吗？\n".encode())
    await expect(host.locator(".knock")).to_be_visible()
    await host.locator(".person-more").click()
    await keep(host, "host")

    host = await enter(house, browser, "老师", token=host_token, locale="zh-CN", color_scheme="dark", viewport=PHONE)
    await rule(host, "#room-pin", "2351")
    await keep(host, "rules-phone")

    for screen, inside, door, options in (
        ("pin", token, "#pin", {"viewport": DESKTOP}),
        ("stranger-phone", "", "#token", {"viewport": PHONE, "locale": "zh-CN"}),
    ):
        page = await arrive(house, browser, inside, **options)
        await page.goto(f"http://room.lan:{house.port}/r/lobby")
        await expect(page.locator(door)).to_be_visible()
        await keep(page, screen)


async def keep(page: Page, screen: str) -> None:
    path = SCREENS / f"{screen}.png"
    for picture in await page.locator("img").all():
        await expect(picture).not_to_have_js_property("naturalWidth", 0)
    await page.screenshot(path=path, animations="disabled")
    await page.context.close()
    print(f"{path.relative_to(CHECKOUT)}: {path.stat().st_size} bytes")


# What is done before a picture is taken


async def open_people(page: Page) -> None:
    await page.locator(".people-button").click()
    await expect(page.locator("dialog .person").first).to_be_visible()


async def search(page: Page) -> None:
    await page.keyboard.press("Alt+4")
    await page.locator("#search-field").fill("t")
    await expect(page.locator(".found-link").nth(3)).to_be_visible()
    await page.locator(".found-link").nth(2).click()
    await expect(page.locator("[data-pointed]")).to_be_in_viewport()


async def open_files(page: Page) -> None:
    await page.keyboard.press("Alt+2")
    await expect(page.locator(".file-row").first).to_be_visible()
    await page.locator(".card-row button[aria-expanded]").first.click()


async def open_connect(page: Page) -> None:
    await page.keyboard.press("Alt+3")
    await expect(page.locator(".snippet").first).to_be_visible()


async def open_share(page: Page) -> None:
    await page.locator(".share-button").click()
    await expect(page.locator(".qr")).to_be_visible()


async def open_rooms(page: Page) -> None:
    await page.keyboard.press("Control+K")
    await expect(page.locator(".room-link").nth(2)).to_be_visible()


async def open_menu(page: Page) -> None:
    await page.locator(".room-switches button").last.click()
    await expect(page.locator(".menu-item").first).to_be_visible()


async def open_help(page: Page) -> None:
    await page.locator(".log").focus()
    await page.keyboard.press("?")
    await expect(page.locator("kbd").first).to_be_visible()


async def open_picture(page: Page) -> None:
    await page.locator("button.preview").last.click()
    await expect(page.locator(".whole-picture")).to_be_visible()


async def meet(page: Page) -> None:
    await page.locator(".person", has_text="greenhouse").click(position={"x": 60, "y": 20})
    await expect(page.locator(".person-tools")).to_be_visible()


async def read_alone(page: Page) -> None:
    await page.locator(".message-name", has_text="greenhouse").click()
    await page.locator(".person-tools").get_by_role("button", name="只看").click()
    await expect(page.locator(".only-bar")).to_be_visible()


async def rule(host: Page, field: str, value: str) -> None:
    known = await host.locator(".deed").count()
    await open_menu(host)
    await host.locator(".menu-item").first.click()
    await host.locator(field).fill(value)
    await host.keyboard.press("Enter")
    await expect(host.locator(".deed")).to_have_count(known + 1)


async def enlarge(page: Page) -> None:
    await open_menu(page)
    await page.locator(".menu-item[aria-pressed]").click()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


async def missed(page: Page) -> None:
    """Away for a while, and much was said."""
    port, address = int(page.url.split(":")[2].split("/")[0]), page.url
    await page.goto("about:blank")
    with closing(socket.create_connection(("127.0.0.1", port))) as tcp:
        tcp.sendall("/nick 老师\n大家好，开始上课。\n小明, 请把温度记录发上来。\n".encode())
        tcp.shutdown(socket.SHUT_WR)
        while tcp.recv(4096):
            pass
    await page.goto(address)
    await expect(page.locator(".marker.unread")).to_be_visible()


async def lose(page: Page, house: Running) -> None:
    await expect(page.locator(".person").first).to_be_visible()
    await asyncio.to_thread(house.stop)
    await page.locator("textarea").fill("This waits until the server is back.")
    await page.keyboard.press("Enter")
    await expect(page.locator(".draft")).to_be_visible()
    await expect(page.locator(".banner")).to_be_visible()


def picture(width: int = 360, height: int = 150) -> bytes:
    """A curve as a measuring bench would draw it, as a PNG."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            curve = height / 2 - math.sin(x / 23) * 44 * math.exp(-x / 260)
            near = abs(y - curve) < 2
            grid = x % 30 == 0 or y % 30 == 0
            rows += b"\x0b\x67\x62" if near else b"\xdf\xda\xcf" if grid else b"\xff\xfe\xfb"
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def post(url: str, body: bytes, headers: dict[str, str], method: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)).close()


if __name__ == "__main__":
    asyncio.run(main())
