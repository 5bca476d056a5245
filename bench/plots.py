"""Plots as SVG: medians with their lowest and highest values, on logarithmic scales. Pure: text from numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import msgspec

from bench.report import Spread, short

_WIDTH: Final = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 40, 50
_HEIGHT: Final = 420
_ROW: Final = 22
_LABELS: Final = 330
_COLOURS: Final = ("#b5179e", "#0a7d4f", "#7a5c00", "#0b62c4", "#c2410c", "#475569")


class Point(msgspec.Struct, frozen=True):
    x: float
    y: Spread


class Line(msgspec.Struct, frozen=True):
    name: str
    points: list[Point]


class Scale(msgspec.Struct, frozen=True):
    """From whole powers of ten around the values to pixels."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> Scale:
        """Values that are not above zero have no place, and are left out. Raises ValueError where none is left."""
        held = [value for value in values if value > 0]
        if not held:
            raise ValueError("nothing to draw")
        first, last = math.floor(math.log10(min(held))), math.ceil(math.log10(max(held)))
        return cls(first, max(last, first + 1), start, end)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.first, self.last + 1)]

    def __call__(self, value: float) -> float:
        share = (math.log10(max(value, 10.0**self.first)) - self.first) / (self.last - self.first)
        return round(self.start + share * (self.end - self.start), 1)


def lines(title: str, below: str, drawn: Sequence[Line]) -> str:
    """One line for each server, over both scales."""
    points = [point for one in drawn for point in one.points]
    across = Scale.around([point.x for point in points], _LEFT, _WIDTH - _RIGHT)
    up = Scale.around([edge for point in points for edge in (point.y.low, point.y.high)], _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_WIDTH / 2, _HEIGHT - 10, below, "middle")]
    for tick in up.ticks:
        parts += [_rule(_LEFT, up(tick), _WIDTH - _RIGHT, up(tick)), _text(_LEFT - 8, up(tick) + 4, short(tick), "end")]
    for x in sorted({point.x for point in points}):
        parts.append(_text(across(x), _HEIGHT - _BOTTOM + 18, f"{x:,.0f}", "middle"))
    ends = _apart([up(one.points[-1].y.median) for one in drawn])
    for one, colour, end in zip(drawn, _repeated(len(drawn)), ends, strict=True):
        path = " ".join(f"{across(point.x)},{up(point.y.median)}" for point in one.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for point in one.points:
            x = across(point.x)
            parts.append(_range(x, up(point.y.low), x, up(point.y.high), colour))
            parts.append(_dot(x, up(point.y.median), colour))
        parts.append(_text(_WIDTH - _RIGHT + 10, end + 4, one.name, "start", colour))
    return _svg(title, _HEIGHT, parts)


def bars(title: str, drawn: Mapping[str, Spread], said: Mapping[str, str]) -> str:
    """One row for each value, with a rule at 1."""
    height = _TOP + _ROW * len(drawn) + 30
    edges = [edge for one in drawn.values() for edge in (one.low, one.high)]
    across = Scale.around([*edges, 1.0], _LABELS, _WIDTH - 70)
    parts = []
    for tick in across.ticks:
        parts += [
            _rule(across(tick), _TOP - 8, across(tick), height - 25),
            _text(across(tick), height - 8, short(tick), "middle"),
        ]
    parts.append(f'<path d="M{across(1)} {_TOP - 8}V{height - 25}" stroke="#000" stroke-width="1.5"/>')
    for number, (label, one) in enumerate(drawn.items()):
        y = _TOP + _ROW * number + 8
        parts += [
            _text(_LABELS - 12, y + 4, label, "end"),
            _range(across(one.low), y, across(one.high), y, _COLOURS[0]),
            _dot(across(one.median), y, _COLOURS[0]),
            _text(_WIDTH - 8, y + 4, said[label], "end"),
        ]
    return _svg(title, height, parts)


def _apart(wanted: Sequence[float]) -> list[float]:
    """Heights of labels near these, so far apart that they can be read."""
    found = [0.0] * len(wanted)
    last = -math.inf
    for index in sorted(range(len(wanted)), key=lambda one: wanted[one]):
        last = found[index] = max(wanted[index], last + 15)
    return found


def _repeated(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    name = escape(title)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{name}"',
            'font-family="sans-serif" font-size="12">',
            f"<title>{name}</title>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            _text(12, 20, title, "start", "#111", 'font-weight="bold" '),
            *parts,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#333", more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {more}fill="{colour}">{escape(words)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#ddd"/>'


def _range(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    look = f'stroke="{colour}" stroke-width="4" stroke-opacity="0.4"'
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" {look}/>'


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{colour}"/>'
