"""How quick the page is: first paint, what is loaded for it, a message on the screen, a burst, a long log scrolled.

`python bench/page.py` starts a server of its own and the system's Chromium, prints a table of medians beside what was
aimed at, and ends. `--entries N` makes the long log shorter. It needs what the page's tests need.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.page.conftest import FLAGS, HOST_RULE, VIEWPORTS, chromium
from tests.page.weight import FIRST_SCREEN_MAX_BYTES, scripts
from tests.support.process import Running

RUNS = 5
BURST = 3000
ROWS = ".message"

# Long tasks, and when the first screen works, noted from before the page's own first line.
WATCH = """
window.longest = 0;
window.works = new Promise((works) => {
  new MutationObserver((_, watcher) => {
    if (!document.querySelector("#join-name, .room:has(.connection.open):has(.rows):has(textarea)")) return;
    watcher.disconnect();
    works(performance.now());
  }).observe(document, { childList: true, subtree: true, attributes: true });
});
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
"""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000, help="how long the long log is (default: 100,000)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = Running(Path(folder) / "data", "--allow-host", "room.lan")
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, HOST_RULE])
                print(f"{'what':44} {'measured':>14}   aim")
                await first_paint(house, browser)
                await remote_message(house, browser)
                await burst(house, browser)
                await long_log(house, browser, wanted.entries)
                await browser.close()
        finally:
            house.close()


async def first_paint(house: Running, browser: Browser) -> None:
    """A cold visit each time, of a room that has something in it; of the door, and of the room under a name."""
    say(house, "lobby", [f"line {number}" for number in range(50)])
    await weigh(await visit(house, browser, "lobby"), "the door")
    paints, works, wholes = [], [], []
    for run in range(RUNS):
        page = await enter(house, browser, "lobby", "visitor")
        paints.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        works.append(await page.evaluate("works"))
        wholes.append(await page.evaluate("performance.now()"))
        if run < RUNS - 1:
            await page.context.close()
    row("first paint", f"{statistics.median(paints):.0f} ms", "300 ms")
    row("the room can be read and written in", f"{statistics.median(works):.0f} ms", "")
    row("all around it is there", f"{statistics.median(wholes):.0f} ms", "")
    await weigh(page, "the room")


async def weigh(page: Page, screen: str) -> None:
    """What the browser had asked for when the screen worked, and what it has in the end."""
    early = await page.evaluate(LOADED, await page.evaluate("works"))
    row(f"scripts of {screen} ({len(early)} files), gzip -9", zipped(early), f"{FIRST_SCREEN_MAX_BYTES / 1000:.0f} kB")
    await page.wait_for_load_state("networkidle")
    await asyncio.sleep(5)  # what nobody needed so far comes after three seconds
    every = await page.evaluate(LOADED, float(2**31))
    row(f"with all that comes later ({len(every)} files)", zipped(every), "")
    await page.context.close()


LOADED = """
(until) => performance.getEntriesByType("resource")
  .filter(({ name, startTime }) => name.endsWith(".js") && startTime <= until).map(({ name }) => name)
"""


def zipped(urls: list[str]) -> str:
    return f"{sum(scripts(urls).values()) / 1000:.1f} kB"


async def remote_message(house: Running, browser: Browser) -> None:
    """From the datagram's way out to its words in the document, seen by the page itself."""
    page = await enter(house, browser, "lobby", "watcher")
    took = []
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        for number in range(30):
            words = f"ping {number} of the bench"
            seen = asyncio.create_task(page.evaluate(SEEN, words))
            await watching(page)
            started = time.time() * 1000
            udp.sendto(words.encode(), house.address)
            took.append(await seen - started)
    await page.context.close()
    row("remote message on the screen, median", f"{statistics.median(took):.0f} ms", "100 ms")
    row("remote message on the screen, worst of 30", f"{max(took):.0f} ms", "")


async def watching(page: Page) -> None:
    """The watcher that a task is to set stands before anything is sent."""
    await asyncio.sleep(0)
    await page.evaluate("0")


SEEN = """
(words) => new Promise((resolve) => {
  const look = () => {
    const newest = Array.from(document.querySelector(".rows").children).slice(-3);
    if (!newest.some((row) => row.textContent.includes(words))) return;
    watcher.disconnect();
    resolve(performance.timeOrigin + performance.now());
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.querySelector(".rows"), { childList: true, subtree: true, characterData: true });
  look();
})
"""


async def burst(house: Running, browser: Browser) -> None:
    """Three thousand lines at once, from the first byte sent to the last line on the screen."""
    times, tasks, rows = [], [], 0
    for run in range(RUNS):
        page = await enter(house, browser, "burst", "watcher")
        await page.evaluate("window.longest = 0")
        last = f"line {BURST - 1} of {run}"
        seen = asyncio.create_task(page.evaluate(SEEN, last))
        await watching(page)
        started = time.time() * 1000
        await asyncio.to_thread(say, house, "burst", [f"line {number} of {run}" for number in range(BURST)])
        times.append(await seen - started)
        tasks.append(await page.evaluate("window.longest"))
        rows = max(rows, await page.locator(ROWS).count())
        await page.context.close()
    row(f"burst of {BURST} messages, median of {RUNS}", f"{statistics.median(times):.0f} ms", "1,500 ms")
    row("longest task meanwhile, worst", f"{max(tasks):.0f} ms", "300 ms")
    row("rows in the document, at most", f"{rows}", "300")


async def long_log(house: Running, browser: Browser, entries: int) -> None:
    await asyncio.to_thread(say, house, "long", [f"entry {number} of a long day" for number in range(entries)])
    page = await enter(house, browser, "long", "reader")
    await page.evaluate("window.longest = 0")
    pages = await timed(lambda: scroll(page, "0", 20))
    row(f"a page up over {entries:,} entries, mean of 20", f"{pages / 20:.0f} ms", "")
    row("longest task while scrolling", f"{await page.evaluate('window.longest'):.0f} ms", "300 ms")
    row("rows in the document", f"{await page.locator(ROWS).count()}", "300")
    await page.keyboard.press("Alt+4")
    await page.locator("#search-field").fill("entry 17")
    found = await timed(lambda: expect(page.locator(".found-link").first).to_be_visible(timeout=60_000))
    row("first search (the index catches up)", f"{found:.0f} ms", "")
    await page.locator("#search-field").fill("entry 23")
    found = await timed(lambda: expect(page.locator(".found mark", has_text="23").first).to_be_visible())
    row("a search after it (200 ms of it patience)", f"{found:.0f} ms", "")
    await page.evaluate("history.replaceState(null, '', '#')")
    jump = await timed(lambda: page.locator(".found-link").last.click())
    jump += await timed(lambda: expect(page.locator("[data-pointed]")).to_be_in_viewport())
    row("a jump to what was found", f"{jump:.0f} ms", "")
    await page.context.close()


async def scroll(page: Page, to: str, pages: int) -> None:
    """To the edge, page after page, as fast as they come."""
    for _ in range(pages):
        edge = page.locator(".text").first
        before = await edge.text_content() or ""
        await page.locator(".log").evaluate(f"log => {{ log.scrollTop = {to}; }}")
        await expect(edge).not_to_have_text(before)


async def enter(house: Running, browser: Browser, room: str, name: str) -> Page:
    page = await visit(house, browser, f"{room}?name={name}")
    await expect(page.locator(".connection.open")).to_be_visible()
    await expect(page.locator(".rail .person")).not_to_have_count(0)
    return page


async def visit(house: Running, browser: Browser, room: str) -> Page:
    page = await (await browser.new_context(viewport=VIEWPORTS["desktop"])).new_page()
    await page.add_init_script(WATCH)
    await page.goto(f"http://room.lan:{house.port}/r/{room}")
    return page


def say(house: Running, room: str, texts: list[str]) -> None:
    """A TCP peer says these, and is gone when all are stored."""
    with closing(socket.create_connection(house.address)) as tcp:
        tcp.sendall("".join(f"{text}\n" for text in (f"/join {room}", *texts)).encode())
        tcp.shutdown(socket.SHUT_WR)
        while tcp.recv(65536):
            pass


async def timed(act: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await act()
    return (time.perf_counter() - started) * 1000


def row(what: str, measured: str, aim: str) -> None:
    print(f"{what:44} {measured:>14}   {aim}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
