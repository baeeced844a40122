"""A stranger's browser at the door, and a foreign page that tries to use one which is in."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support import observe
from tests.support.process import Running

MESSAGE = "from a foreign page"
FOREIGN = """<!doctype html><title>foreign</title>
<form method="post" enctype="text/plain" action="BASE/r/lobby"><input name="a" value="MESSAGE"></form>
<form method="post" enctype="multipart/form-data" action="BASE/"><input name="text" value="MESSAGE"></form>
<form method="post" action="BASE/j"><input name="token" value="x"></form>
<iframe src="BASE/r/lobby"></iframe>
<script>
const ended = (target) => new Promise((done) => {
  for (const name of ["open", "error"]) target.addEventListener(name, () => done(name));
});
globalThis.attack = async () => {
  const mine = { credentials: "include" }, body = "MESSAGE";
  const tries = [
    fetch("BASE/r/lobby", { ...mine, method: "POST", mode: "no-cors", body }),
    fetch("BASE/", { ...mine, method: "POST", mode: "no-cors", body }),
    fetch("BASE/r/lobby", { ...mine, method: "POST", body }),
    fetch("BASE/r/lobby/entries", mine),
    fetch("BASE/a.txt", { ...mine, method: "PUT", body }),
    fetch("BASE/r/lobby/entries/1", { ...mine, method: "DELETE" }),
    fetch("BASE/r/lobby/uploads", { ...mine, method: "POST", headers: { "Tus-Resumable": "1.0.0" }, body }),
  ];
  navigator.sendBeacon("BASE/r/lobby", body);
  const read = (await Promise.allSettled(tries)).map((one) => one.value?.type ?? "failed");
  const events = await ended(new EventSource("BASE/r/lobby/events", { withCredentials: true }));
  const ws = await ended(new WebSocket("BASE/r/lobby/ws".replace("http", "ws")));
  return { read, events, ws, frame: frames[0].length };
};
</script>"""


@pytest.fixture
def house(run: Callable[..., Running]) -> Running:
    """A server that asks everybody for the token."""
    return run("--allow-host", "room.lan", "--token")


@pytest.fixture
def foreign(house: Running) -> Iterator[str]:
    """A page of somebody else's."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            page = FOREIGN.replace("BASE", f"http://room.lan:{house.port}").replace("MESSAGE", MESSAGE)
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def token(house: Running) -> str:
    return (house.data / "token").read_text().strip()


async def fresh(browser: Browser, **more: object) -> Page:
    return await (await browser.new_context(locale="en", **more)).new_page()


async def test_a_link_s_token_opens_the_room_and_leaves_the_address_bar(browser: Browser, house: Running) -> None:
    page = await fresh(browser)
    room = f"http://room.lan:{house.port}/r/lobby"
    await page.goto(f"{room}?name=alice#token={token(house)}")
    await expect(page.locator(".connection.open")).to_be_visible()
    assert page.url == f"{room}?name=alice"
    (cookie,) = [one for one in await page.context.cookies() if one["name"].startswith("roombridge-")]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and token(house) not in cookie["value"]
    await page.goto(f"{room}?again=1#token=of-last-week")
    await expect(page).to_have_url(f"{room}?again=1")
    await page.context.close()


async def test_it_can_be_typed_without_any_script(browser: Browser, house: Running) -> None:
    page = await fresh(browser, java_script_enabled=False)
    room = f"http://room.lan:{house.port}/r/%E6%95%99%E5%AE%A4"
    await page.goto(room)
    await page.get_by_label("Token").fill("guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("That was not the token")
    await page.get_by_label("Token").fill(token(house))
    await page.get_by_role("button", name="Come in").click()
    await expect(page).to_have_url(room)
    await expect(page.get_by_role("heading", name="教室")).to_be_visible()
    await page.context.close()


async def test_the_page_of_strangers_breaks_no_rule_of_its_own(browser: Browser, house: Running) -> None:
    page = await fresh(browser)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(f"http://room.lan:{house.port}/")
    await expect(page.get_by_label("Token")).to_be_focused()
    assert [words for words in said if "401" not in words] == []
    await page.context.close()


async def test_a_foreign_page_says_nothing_reads_nothing_and_opens_nothing(
    browser: Browser, house: Running, foreign: str
) -> None:
    page = await fresh(browser)
    await page.goto(f"http://room.lan:{house.port}/j/{token(house)}")
    await page.goto(foreign)
    told = await page.evaluate("attack()")
    assert told["ws"] == "error" and told["events"] == "error" and told["frame"] == 0
    assert set(told["read"]) <= {"failed", "opaque"}
    for form in range(3):
        await page.goto(foreign)
        await page.evaluate(f"document.forms[{form}].submit()")
        await expect(page).to_have_url(re.compile("room.lan"))
        await expect(page.locator("body")).to_contain_text(re.compile("forbidden|not this server", re.IGNORECASE))
    bearer = {"Authorization": f"Bearer {token(house)}"}
    assert b'"entries":[]' in observe.fetch(house.address, "GET", "/r/lobby/entries", **bearer)[2]
    numbers = observe.fetch(house.address, "GET", "/metrics", **bearer)[2].decode()
    assert 'roombridge_seats{via="web"} 0.0' in numbers
    await page.context.close()
