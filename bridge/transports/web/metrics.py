"""How the server is: alive, and its counters in Prometheus' text format. (`docs/operations.md`)"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aiohttp import web

from bridge.tally import Tally

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class MetricHandlers:
    """`GET /healthz` and `GET /metrics`. `gauges` are asked when somebody looks."""

    def __init__(self, tally: Tally, gauges: Mapping[str, Callable[[], int]]) -> None:
        self._tally = tally
        self._gauges = gauges

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.health), web.get("/metrics", self.metrics)]

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def metrics(self, request: web.Request) -> web.Response:
        return web.Response(body="".join(self._lines()).encode(), headers={"Content-Type": TYPE})

    def _lines(self) -> Iterator[str]:
        for name, ask in self._gauges.items():
            yield f"# TYPE roombridge_{name} gauge\nroombridge_{name} {ask()}\n"
        for name, count in sorted(self._tally.counts.items()):
            yield f"# TYPE roombridge_{name}_total counter\nroombridge_{name}_total {count}\n"
        yield "# TYPE roombridge_refused_total counter\n"
        for (code, via), count in sorted(self._tally.refusals.items()):
            yield f'roombridge_refused_total{{code="{code}",via="{via}"}} {count}\n'
