"""A Firefox of the system, spoken to in WebDriver BiDi, which it has by itself: playwright cannot drive this one."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PREFS = {
    "network.dns.localDomains": "room.lan",
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
PATIENCE_S = 60


def firefox() -> str | None:
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Tab:
    """One tab, and what its console said that was an error."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""
        self.errors: list[str] = []

    async def open(self) -> None:
        await self._ask("session.new", capabilities={})
        await self._ask("session.subscribe", events=["log.entryAdded"])
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def read(self, expression: str) -> Any:
        """The value of a JavaScript expression, if it is a simple one."""
        answer = await self._ask(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until it is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.read(f"Boolean({expression})"):
                await asyncio.sleep(0.05)

    async def click(self, selector: str) -> None:
        origin = {"type": "element", "element": await self._find(selector)}
        acts = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self._act({"type": "pointer", "id": "mouse", "actions": acts})

    async def type(self, text: str) -> None:
        """Keys, as they are pressed; `\\ue007` is Enter."""
        acts = [{"type": kind, "value": sign} for sign in text for kind in ("keyDown", "keyUp")]
        await self._act({"type": "key", "id": "keyboard", "actions": acts})

    async def choose(self, selector: str, path: Path) -> None:
        element = await self._find(selector)
        await self._ask("input.setFiles", context=self._context, element=element, files=[str(path)])

    async def _act(self, *sources: dict[str, Any]) -> None:
        await self._ask("input.performActions", context=self._context, actions=list(sources))

    async def _find(self, selector: str) -> dict[str, str]:
        found = await self._ask(
            "browsingContext.locateNodes", context=self._context, locator={"type": "css", "value": selector}
        )
        return {"sharedId": found["nodes"][0]["sharedId"]}

    async def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            while (said := json.loads(await self._socket.receive_str())).get("id") != number:
                if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                    self.errors.append(said["params"]["text"])
        assert said["type"] == "success", said
        return said["result"]


@asynccontextmanager
async def tab(program: str, profile: Path) -> AsyncIterator[Tab]:
    """A Firefox with a profile of its own; it ends with the block."""
    profile.mkdir()
    prefs = "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFS.items())
    (profile / "user.js").write_text(prefs)
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = await _address(profile)
        async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            tab = Tab(socket)
            await tab.open()
            yield tab
    finally:
        process.kill()
        await process.wait()


async def _address(profile: Path) -> str:
    """Where it listens, which it writes beside its preferences."""
    told = profile / "WebDriverBiDiServer.json"
    async with asyncio.timeout(PATIENCE_S):
        while not (told.exists() and told.stat().st_size):
            await asyncio.sleep(0.05)
    where = json.loads(told.read_text())
    return f"ws://{where['ws_host']}:{where['ws_port']}/session"
