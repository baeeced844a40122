"""A line chart as SVG: both axes by powers of ten, a line and its name for each server, light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final, NamedTuple

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 40, 48
COLOURS: Final = ("#2563eb", "#d97706", "#059669", "#dc2626")
STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:14px}"
    ".grid{stroke:#8884}path{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)

Points = list[tuple[float, float]]


class Chart(NamedTuple):
    """What is asked, and in which units."""

    title: str
    across: str
    up: str


def draw(chart: Chart, lines: Mapping[str, Points]) -> str:
    """The whole document. Every coordinate is above nought."""
    across = _Axis.over([x for points in lines.values() for x, _y in points], LEFT, WIDTH - RIGHT)
    up = _Axis.over([y for points in lines.values() for _x, y in points], HEIGHT - BOTTOM, TOP)
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="20">{escape(chart.title)}</text>',
        *_grid(across, up),
        f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(chart.across)}</text>',
        f'<text x="{LEFT}" y="{TOP - 6}">{escape(chart.up)}</text>',
    ]
    for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
        parts.extend(_line(name, [(across.at(x), up.at(y)) for x, y in points], colour))
    return "\n".join([*parts, "</svg>", ""])


class _Axis(NamedTuple):
    """From one power of ten to another, on the paper from `near` to `far`."""

    low: int
    high: int
    near: float
    far: float

    @classmethod
    def over(cls, values: list[float], near: float, far: float) -> _Axis:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), near, far)

    def at(self, value: float) -> float:
        return self.near + (math.log10(value) - self.low) / (self.high - self.low) * (self.far - self.near)

    def ticks(self) -> Iterator[tuple[str, float]]:
        for power in range(self.low, self.high + 1):
            yield f"{10**power:,}" if power >= 0 else f"{10.0**power:g}", self.at(10.0**power)


def _grid(across: _Axis, up: _Axis) -> Iterator[str]:
    for label, x in across.ticks():
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>'
    for label, y in up.ticks():
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _line(name: str, places: Points, colour: str) -> Iterator[str]:
    way = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    x, y = places[-1]
    yield f'<path d="M{way}" stroke="{colour}"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    yield f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" style="fill:{colour}">{escape(name)}</text>'
