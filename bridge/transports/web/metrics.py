"""How the server is: alive, and its numbers as Prometheus reads them. (`docs/operations.md`)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

from aiohttp import hdrs, web
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.model import Via
from bridge.rooms import Rooms


class MetricHandlers(Collector):
    """`GET /healthz` and `GET /metrics`. What only is, and does not happen, is worked out when somebody looks."""

    def __init__(
        self,
        rooms: Rooms,
        connections: Callable[[], int],
        drafts: Callable[[], int],
        kernel_drops: Callable[[], int],
    ) -> None:
        self._rooms = rooms
        self._connections = connections
        self._drafts = drafts
        self._kernel_drops = kernel_drops
        self._registry = rooms.tally.registry
        self._registry.register(self)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.health), web.get("/metrics", self.metrics)]

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def metrics(self, request: web.Request) -> web.Response:
        encode, type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: type})

    def collect(self) -> Iterator[Metric]:
        census = self._rooms.census()
        seats = GaugeMetricFamily("roombridge_seats", "Seats, by the way their peers came.", labels=["via"])
        for via in get_args(Via):
            seats.add_metric([via], census.seats[via])
        yield seats
        yield GaugeMetricFamily("roombridge_connections", "TCP connections, whatever they speak.", self._connections())
        yield GaugeMetricFamily("roombridge_rooms_open", "Rooms that somebody is in.", census.rooms)
        yield GaugeMetricFamily("roombridge_seats_lagging", "Seats that have not been handed all.", census.lagging)
        yield GaugeMetricFamily("roombridge_lag_max", "How far the last of them is behind, in numbers.", census.lag_max)
        yield GaugeMetricFamily("roombridge_uploads_running", "Files on their way in.", census.uploads)
        yield GaugeMetricFamily("roombridge_drafts_waiting", "Drafts on their way to the disk.", self._drafts())
        yield CounterMetricFamily(
            "roombridge_datagrams_dropped_by_kernel", "Datagrams nobody read in time.", self._kernel_drops()
        )
