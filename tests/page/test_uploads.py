"""Large files from the page, over a wire that is held and cut: paused, gone on with, chosen again, taken back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
from playwright.async_api import Locator, Page, expect

from tests.page.test_coming_back import NOBODY_LISTENS
from tests.page.test_screens import no_violations
from tests.support import observe
from tests.support.peers import eventually
from tests.support.process import Running
from tests.support.relay import Relay

FILM = random.Random(7).randbytes(3_000_000)
HELD_AT = 1_500_000
CUT = f"{NOBODY_LISTENS}|net::ERR_"


@pytest.fixture
def relay(house: Running) -> Iterator[Relay]:
    with Relay(house.address) as relay:
        yield relay


async def begin(visit, relay: Relay, film: Path) -> tuple[Page, Locator]:
    """A page behind the wire has sent half of the film; and its card."""
    page = await visit()
    await page.goto(f"http://room.lan:{relay.address[1]}/r/lobby?name=alice")
    await expect(page.locator(".room-switches")).to_be_visible()
    film.write_bytes(FILM)
    relay.hold_after(HELD_AT)
    await page.locator(".composer input[type=file]").set_input_files(film)
    relay.until_held()
    return page, page.locator(".transfer", has_text=film.name)


def lose_what_is_on_its_way(relay: Relay) -> None:
    """Else the kernel would still hand over what the page had sent before its pause, and that may be all."""
    relay.cut()
    relay.let_go()


def arrived(house: Running) -> None:
    (entry,) = observe.log(house.address)
    assert observe.fetch(house.address, "GET", entry["file"]["url"])[2] == FILM


async def test_a_film_is_paused_and_goes_on(visit, house: Running, relay: Relay, tmp_path: Path) -> None:
    bob = await visit("bob")
    page, card = await begin(visit, relay, tmp_path / "film.mp4")
    await card.get_by_role("button", name="Pause film.mp4").click()
    await expect(card).to_contain_text("paused")
    lose_what_is_on_its_way(relay)
    await expect(bob.locator(".transfer")).to_contain_text("of 2.9 MiB · paused")
    await card.get_by_role("button", name="Go on with film.mp4").click()
    for one in (page, bob):
        await expect(one.locator(".message .card-name")).to_have_text("film.mp4")
        await expect(one.locator(".transfer")).to_have_count(0)
    await expect(page.locator(".message.mine")).to_have_count(1)
    arrived(house)
    visit.allow(CUT)


async def test_a_film_goes_on_by_itself_when_the_server_is_back(
    visit, house: Running, relay: Relay, tmp_path: Path
) -> None:
    page, card = await begin(visit, relay, tmp_path / "film.mp4")
    house.kill()
    relay.cut()
    await expect(card).to_contain_text("waiting for the connection")
    house.start()
    relay.let_go()
    await expect(page.locator(".message.mine .card-name")).to_have_text("film.mp4")
    await expect(page.locator(".transfer")).to_have_count(0)
    arrived(house)
    visit.allow(CUT)


async def test_after_a_reload_the_file_is_chosen_again_or_given_up(
    visit, house: Running, relay: Relay, tmp_path: Path
) -> None:
    page, card = await begin(visit, relay, tmp_path / "film.mp4")
    await card.get_by_role("button", name="Pause").click()
    lose_what_is_on_its_way(relay)
    await page.reload()
    await expect(card).to_contain_text("choose the file again to go on")
    await no_violations(page)
    again = card.get_by_label("Choose film.mp4 again")
    (tmp_path / "other.mp4").write_bytes(b"other")
    await again.set_input_files(tmp_path / "other.mp4")
    await expect(page.locator(".notice")).to_have_text("This is another file: film.mp4 has 2.9 MiB.")
    await again.set_input_files(tmp_path / "film.mp4")
    await expect(page.locator(".message.mine .card-name")).to_have_text("film.mp4")
    arrived(house)
    await page.close()

    page, card = await begin(visit, relay, tmp_path / "second.mp4")
    await card.get_by_role("button", name="Pause").click()
    lose_what_is_on_its_way(relay)
    await page.reload()
    await card.get_by_role("button", name="Cancel second.mp4").click()
    await expect(page.locator(".transfer")).to_have_count(0)
    await eventually(lambda: not [path for path in (house.data / "uploads").rglob("*") if path.is_file()])
    visit.allow(CUT)
