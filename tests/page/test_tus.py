"""The real tus-js-client, as the page will use it: from our own origin, under our own policy, through a bad network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

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
        removeFingerprintOnSuccess: true,
        onSuccess: () => resolve('done'),
        onError: (error) => resolve(String(error)),
        onProgress: (sent) => { window.sent = sent },
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
    await page.evaluate(CLIENT, SIZE)
    yield page
    visit.allow(BROKEN)


def whole(house: Running) -> dict[str, Any]:
    """The one entry, and its bytes are right."""
    (entry,) = observe.log(house.address)
    assert (entry["file"]["name"], entry["file"]["size"], entry["from"]["name"]) == ("影片.bin", SIZE, "alice")
    status, _, body = observe.fetch(house.address, "GET", entry["file"]["url"])
    assert status == 200 and body == EXPECTED[:SIZE]
    return entry


async def test_it_sends_a_file_whole_and_in_chunks(page: Page, house: Running) -> None:
    await page.evaluate("send()")
    assert await page.evaluate("ended") == "done"
    entry = whole(house)
    assert entry["file"]["url"].split("/")[2] in await page.evaluate("upload.url")
    await page.evaluate("send({ chunkSize: 1_000_000 })")
    assert await page.evaluate("ended") == "done"
    assert len(observe.log(house.address)) == 2


async def test_creation_brings_the_bytes(page: Page, house: Running) -> None:
    await page.evaluate("send({ uploadDataDuringCreation: true })")
    assert await page.evaluate("ended") == "done"
    whole(house)


async def test_it_pauses_and_goes_on_where_the_server_stands(page: Page, house: Running, relay: Relay) -> None:
    relay.hold_after(2_000_000)
    await page.evaluate("send()")
    relay.until_held()
    await page.evaluate("upload.abort()")
    relay.let_go()
    await page.evaluate("void upload.start()")
    assert await page.evaluate("ended") == "done"
    whole(house)


async def test_it_goes_on_when_its_network_is_reset(page: Page, house: Running, relay: Relay) -> None:
    relay.hold_after(1_000_000)
    await page.evaluate("send()")
    for _ in range(4):
        relay.until_held()
        relay.hold_after(700_000)
        relay.cut()
    relay.let_go()
    assert await page.evaluate("ended") == "done"
    whole(house)


async def test_it_goes_on_when_the_server_was_killed_and_comes_back(page: Page, house: Running, relay: Relay) -> None:
    relay.hold_after(3_000_000)
    await page.evaluate("send()")
    relay.until_held()
    house.kill()
    relay.cut()
    house.start()
    relay.let_go()
    assert await page.evaluate("ended") == "done"
    whole(house)


async def test_another_page_load_finds_the_upload_it_began(page: Page, house: Running, relay: Relay) -> None:
    relay.hold_after(2_000_000)
    await page.evaluate("send({ fingerprint: async () => 'film' })")
    relay.until_held()
    relay.let_go()
    await page.goto(page.url)
    await page.evaluate(CLIENT, SIZE)
    found = await page.evaluate(
        """async () => {
          const upload = new tus.Upload(new File(['x'], 'x'), { fingerprint: async () => 'film' });
          return (await upload.findPreviousUploads()).map((one) => one.uploadUrl);
        }"""
    )
    assert len(found) == 1
    await page.evaluate("(url) => send({ uploadUrl: url })", found[0])
    assert await page.evaluate("ended") == "done"
    whole(house)
