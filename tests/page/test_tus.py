"""The real tus-js-client in the ways that our own page does not use it; those are in test_uploads.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

pytest.importorskip("playwright")
from playwright.async_api import expect

from tests.page.conftest import Visit
from tests.support import observe
from tests.support.process import Running
from tests.support.relay import Relay

if TYPE_CHECKING:
    from playwright.async_api import Page

SIZE = 5_000_000

# `send(options)` begins an upload of SIZE bytes that repeat 0 to 250; `ended` settles with its end.
CLIENT = """async (size) => {
  await import('/static/vendor/tus.js');
  const piece = new Uint8Array(size).map((_, place) => place % 251);
  window.send = (options = {}) => {
    window.ended = new Promise((resolve) => {
      window.upload = new tus.Upload(new File([piece], '影片.bin'), {
        endpoint: '/r/lobby/uploads',
        headers: { 'X-Client': 'alice' },
        metadata: { filename: '影片.bin', filetype: 'application/octet-stream', name: 'alice' },
        retryDelays: Array(100).fill(50),
        storeFingerprintForResuming: false,
        onSuccess: () => resolve('done'),
        onError: (error) => resolve(String(error)),
        ...options,
      });
    });
    window.upload.start();
  };
}"""
EXPECTED = bytes(range(251)) * (SIZE // 251 + 1)
BROKEN = r"net::ERR_|Failed to load resource"


@pytest.fixture
def relay(house: Running) -> Iterator[Relay]:
    with Relay(house.address) as relay:
        yield relay


@pytest_asyncio.fixture(loop_scope="session")
async def page(visit: Visit, relay: Relay) -> AsyncIterator[Page]:
    """A page of ours, reached over a wire that can be cut, with tus in it."""
    page = await visit()
    await page.goto(f"http://room.lan:{relay.address[1]}/r/lobby")
    await expect(page.locator("#join-name")).to_be_visible()
    await page.evaluate(CLIENT, SIZE)
    yield page
    await page.close()  # it may be fetching the room behind its door, and the wire goes now
    visit.allow(BROKEN)


def whole(house: Running, url: str) -> None:
    """The newest entry is what was sent to this URL, and its bytes are right."""
    entry = observe.log(house.address)[-1]
    assert (entry["file"]["name"], entry["file"]["size"], entry["from"]["name"]) == ("影片.bin", SIZE, "alice")
    assert entry["file"]["id"] in url
    status, _, body = observe.fetch(house.address, "GET", entry["file"]["url"])
    assert status == 200 and body == EXPECTED[:SIZE]


@pytest.mark.parametrize("options", ["{}", "{ chunkSize: 1_000_000 }", "{ uploadDataDuringCreation: true }"])
async def test_it_sends_a_file(page: Page, house: Running, options: str) -> None:
    await page.evaluate(f"send({options})")
    assert await page.evaluate("ended") == "done"
    whole(house, await page.evaluate("upload.url"))


async def test_it_goes_on_by_itself_however_often_its_network_is_reset(
    page: Page, house: Running, relay: Relay
) -> None:
    relay.hold_after(1_000_000)
    await page.evaluate("send()")
    for _ in range(4):
        relay.until_held()
        relay.hold_after(700_000)
        relay.cut()
    relay.let_go()
    assert await page.evaluate("ended") == "done"
    whole(house, await page.evaluate("upload.url"))
