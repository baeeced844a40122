"""What the stories' parties do: browsers say, lines are sent, files are put, datagrams fly."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from contextlib import closing
from urllib.parse import quote

from playwright.async_api import Locator, Page

from tests.support.process import Running


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")


def message(page: Page, text: str) -> Locator:
    return page.locator(".message", has_text=text)


async def lines(house: Running, *texts: str, room: str = "lobby") -> None:
    """A TCP peer says these, and is gone when all are stored."""

    def speak() -> None:
        with closing(socket.create_connection(house.address)) as tcp:
            tcp.sendall("".join(f"{text}\n" for text in (f"/join {room}", *texts)).encode())
            tcp.shutdown(socket.SHUT_WR)
            while tcp.recv(65536):
                pass

    await asyncio.to_thread(speak)


async def numbered(house: Running, first: int, last: int) -> None:
    """Lines numbered `first` to `last`, by one TCP peer."""
    await lines(house, *(f"line {number}" for number in range(first, last + 1)))


async def put(house: Running, name: str, body: bytes, sender: str = "ci", room: str = "lobby") -> None:
    url = f"{house.url}r/{quote(room)}/{quote(name, safe='')}"
    request = urllib.request.Request(url, body, {"X-Name": quote(sender)}, method="PUT")
    await asyncio.to_thread(lambda: urllib.request.urlopen(request).close())


async def post(house: Running, text: str, sender: str = "ci", room: str = "lobby") -> None:
    request = urllib.request.Request(f"{house.url}r/{quote(room)}", text.encode(), {"X-Name": quote(sender)})
    await asyncio.to_thread(lambda: urllib.request.urlopen(request).close())


def datagrams(house: Running, *texts: str) -> socket.socket:
    """A UDP peer that has said these, open for more; close it in the end."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for text in texts:
        udp.sendto(text.encode(), house.address)
    return udp
