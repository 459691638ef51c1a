"""Small pictures as SVG text: marks, axes and patterns that can be told apart without colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

INK, GRID = "#1b1b1b", "#d0d0d0"
FILLS = ("#2f6f9f", "#d98c21", "#5a8f3c", "#9b4f96", "#b0413e", "#6b6b6b", "#c9b037")
_MARKS = (
    "M0 8L8 0", "M0 0L8 8", "M0 4H8", "M4 0V8", "M0 8L8 0M0 0L8 8", "M0 4H8M4 0V8", "M4 4h1",
)  # fmt: skip
"""The lines of a pattern of 8 by 8, one a fill."""


def tag(name: str, *inside: str, **attributes: object) -> str:
    """An element; ``stroke_width`` is written stroke-width, ``inside`` is SVG or escaped."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{told}>{''.join(inside)}</{name}>" if inside else f"<{name}{told}/>"


def text(x: float, y: float, words: str, *, anchor: str = "start", **attributes: object) -> str:
    """Words at a place."""
    return tag("text", escape(words), x=x, y=y, text_anchor=anchor, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """From one place to another."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **({"stroke": GRID} | attributes))


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> str:
    """A box."""
    return tag("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), **attributes)


def fill(chart: str, number: int) -> str:
    """Names pattern ``number`` of a chart."""
    return f"url(#{chart}-{number % len(FILLS)})"


def drawing(chart: str, width: int, height: int, title: str, *inside: str) -> str:
    """A whole picture with its patterns; ``chart`` must be its own on a page."""
    patterns = "".join(
        tag(
            "pattern",
            rect(0, 0, 8, 8, fill=colour, fill_opacity="0.75"),
            tag("path", d=mark, stroke="#ffffff", stroke_width=1.5),
            id=f"{chart}-{number}", width=8, height=8, patternUnits="userSpaceOnUse",
        )
        for number, (colour, mark) in enumerate(zip(FILLS, _MARKS, strict=True))
    )  # fmt: skip
    return tag(
        "svg", tag("title", escape(title)), tag("defs", patterns),
        rect(0, 0, width, height, fill="#ffffff"), *inside,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", role="img",
        font_family="sans-serif", font_size=12, fill=INK, aria_label=title,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chart's values lie: ``count`` columns, and values from 0 to ``top``."""

    left: float
    right: float
    above: float
    below: float
    count: int
    top: float

    @property
    def column(self) -> float:
        """Width of one column."""
        return (self.right - self.left) / max(1, self.count)

    def x(self, position: float) -> float:
        """Of a column's left edge; fractions lie within it."""
        return self.left + position * self.column

    def y(self, value: float) -> float:
        """Of a value."""
        return self.below - (self.below - self.above) * value / self.top

    def axes(self, ticks: Sequence[tuple[float, str]], names: Sequence[str]) -> str:
        """Lines at the ticks, and names below the columns: as many as there is room for."""
        drawn = [
            line(self.left, self.y(value), self.right, self.y(value))
            + text(self.left - 6, self.y(value) + 4, word, anchor="end")
            for value, word in ticks
        ]
        every = max(1, -(-len(names) * 64 // int(self.right - self.left)))
        drawn += [
            text(self.x(number + 0.5), self.below + 16, name, anchor="middle")
            for number, name in enumerate(names)
            if number % every == 0
        ]
        drawn.append(line(self.left, self.below, self.right, self.below, stroke=INK))
        return "".join(drawn)


def ticks_up_to(highest: float, about: int = 4) -> list[float]:
    """Round values from 0 on, the last one not below ``highest``."""
    if highest <= 0:
        return [0.0, 1.0]
    raw, power = highest / about, 1.0
    while power * 10 <= raw:
        power *= 10
    while power > raw:
        power /= 10
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    count = int(-(-highest // step))
    return [step * number for number in range(count + 1)]


def _plain(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
