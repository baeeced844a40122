"""Stage a lively room on a real server and take the pictures in docs/screens/.

Run it by hand after the page has changed: `python scripts/screenshots.py`. It needs what the page's tests need.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import tempfile
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path

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
            await shoot(house, browser, "room", viewport=DESKTOP, **mine)
            await shoot(house, browser, "dark", viewport=DESKTOP, color_scheme="dark", **mine)
            await shoot(house, browser, "chinese", viewport=DESKTOP, locale="zh-CN", **mine)
            await shoot(house, browser, "phone", viewport=PHONE, has_touch=True, device_scale_factor=2, **mine)
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

    sender = stack.enter_context(closing(socket.create_connection(house.address)))
    header = json.dumps({"file_name": "firmware.bin", "file_size": FIRMWARE_BYTES, "sender": "bench-3"}).encode()
    sender.sendall(struct.pack("<i", len(header)) + header)
    for _ in range(40):  # slowly, like a small device
        sender.sendall(bytes(FIRMWARE_BYTES // 100))
        await asyncio.sleep(0.05)
    await expect(otter.locator(".transfer")).to_contain_text("2.3 MiB of 5.7 MiB")


async def enter(house: Running, browser: Browser, name: str, **options: object) -> Page:
    page = await (await browser.new_context(**options)).new_page()
    await page.goto(f"http://room.lan:{house.port}/r/lobby?name={name}")
    await expect(page.locator(".connection.open")).to_be_visible()
    return page


async def say(page: Page, text: str) -> None:
    await page.locator("textarea").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".draft")).to_have_count(0)


async def shoot(house: Running, browser: Browser, screen: str, **options: object) -> None:
    page = await enter(house, browser, "小明", **options)
    path = SCREENS / f"{screen}.png"
    await page.screenshot(path=path, animations="disabled")
    await page.context.close()
    print(f"{path.relative_to(CHECKOUT)}: {path.stat().st_size} bytes")


def post(url: str, body: bytes, headers: dict[str, str], method: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)).close()


if __name__ == "__main__":
    asyncio.run(main())
