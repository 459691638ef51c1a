"""The plots of the report."""

from collections.abc import Sequence
from datetime import date, datetime, time

from cardlib.calendar import ZONE
from simulator.town.report.figures import Figures
from simulator.town.report.ledger_sums import CHAIN
from simulator.town.report.svg import (
    FILLS,
    INK,
    Frame,
    drawing,
    fill,
    line,
    rect,
    tag,
    text,
    ticks_up_to,
)
from simulator.town.report.words import Words

WIDTH, HEIGHT = 900, 260
_LEFT, _RIGHT, _ABOVE, _BELOW = 80, 890, 34, 220
_DAY_MS, _HOUR_S = 86_400_000, 3600


def spending(figures: Figures, words: Words) -> str:
    """Goods, loads and voids a day, in euro."""
    rows = [
        (words.label("goods"), [day.cents / 100 for day in figures.days]),
        (words.label("loads"), [day.loaded_cents / 100 for day in figures.days]),
        (words.label("voids"), [day.void_cents / 100 for day in figures.days]),
    ]
    return _bars("spending", words.label("plot_spending"), rows, figures, words)


def faults(figures: Figures, words: Words) -> str:
    """Faults that struck, a day."""
    rows = [(words.label("faults_struck"), [float(day.faults) for day in figures.days])]
    return _bars("faults", words.label("plot_faults"), rows, figures, words)


def _bars(
    chart: str, title: str, rows: Sequence[tuple[str, list[float]]], figures: Figures, words: Words
) -> str:
    """Side by side in each day, one pattern a row."""
    ticks = ticks_up_to(max((max(values, default=0.0) for _, values in rows), default=0.0))
    frame = Frame(_LEFT, _RIGHT, _ABOVE, _BELOW, len(figures.days), ticks[-1])
    broad = frame.column * 0.8 / len(rows)
    drawn = [
        frame.axes([(tick, words.number(round(tick))) for tick in ticks], _days(figures, words))
    ]
    for number, (_, values) in enumerate(rows):
        for day, value in enumerate(values):
            if value > 0:
                x, y = frame.x(day + 0.1) + number * broad, frame.y(value)
                drawn.append(
                    rect(x, y, broad, _BELOW - y, fill=fill(chart, number), stroke=INK,
                         stroke_width=0.5)
                )  # fmt: skip
    drawn.append(_legend(chart, [name for name, _ in rows]))
    return drawing(chart, WIDTH, HEIGHT, title, *drawn)


def _legend(chart: str, names: Sequence[str]) -> str:
    drawn, x = [], float(_LEFT)
    for number, name in enumerate(names):
        drawn.append(rect(x, 8, 16, 12, fill=fill(chart, number), stroke=INK, stroke_width=0.5))
        drawn.append(text(x + 22, 18, name))
        x += 50 + 7 * len(name)
    return "".join(drawn)


def _days(figures: Figures, words: Words) -> list[str]:
    return [words.day(date.fromisoformat(day.day)) for day in figures.days]


def sync_lag(figures: Figures, words: Words) -> str:
    """How many hours entries had waited when they came, a day; times without a line shaded."""
    days = figures.days
    longest = [day.waits.longest_s / _HOUR_S for day in days]
    ticks = ticks_up_to(max(longest, default=0.0))
    frame = Frame(_LEFT, _RIGHT, _ABOVE, _BELOW, len(days), ticks[-1])
    hours = [(tick, words.label("hours", hours=f"{tick:g}")) for tick in ticks]
    drawn = [_windows(figures, frame), frame.axes(hours, _days(figures, words))]
    medians = [day.waits.median_s / _HOUR_S for day in days]
    came = [number for number, day in enumerate(days) if day.waits.entries]
    for values, colour, dashes, mark in (
        (longest, FILLS[4], "6 4", _square), (medians, FILLS[0], "none", _circle),
    ):  # fmt: skip
        points = [(frame.x(number + 0.5), frame.y(values[number])) for number in came]
        drawn.append(
            tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), fill="none",
                stroke=colour, stroke_width=2, stroke_dasharray=dashes)
        )  # fmt: skip
        drawn += [mark(x, y, colour) for x, y in points]
    drawn.append(_lag_legend(words))
    return drawing("lag", WIDTH, HEIGHT, words.label("plot_lag"), *drawn)


def _windows(figures: Figures, frame: Frame) -> str:
    """A band for each shop, where its line was dead."""
    first = datetime.combine(date.fromisoformat(figures.days[0].day), time(), ZONE)
    start_ms = int(first.timestamp() * 1000)
    drawn = []
    for row, shop in enumerate(figures.shops):
        for begin, end in shop.offline:
            x = frame.x((begin - start_ms) / _DAY_MS)
            broad = frame.x((end - start_ms) / _DAY_MS) - x
            drawn.append(
                rect(x, _ABOVE, broad, _BELOW - _ABOVE, fill=fill("lag", 5), fill_opacity="0.35")
            )
            drawn.append(text(x + 2, _ABOVE + 11 + row % 8 * 12, shop.name, font_size=10))
    return "".join(drawn)


def _lag_legend(words: Words) -> str:
    at = float(_LEFT)
    drawn = [_circle(at + 8, 14, FILLS[0]), text(at + 22, 18, words.label("median"))]
    drawn += [_square(at + 148, 14, FILLS[4]), text(at + 162, 18, words.label("longest"))]
    drawn.append(rect(at + 290, 8, 16, 12, fill=fill("lag", 5), fill_opacity="0.35", stroke=INK,
                      stroke_width=0.5))  # fmt: skip
    drawn.append(text(at + 312, 18, words.label("no_line")))
    return "".join(drawn)


def _circle(x: float, y: float, colour: str) -> str:
    return tag("circle", cx=x, cy=y, r=4, fill=colour, stroke=INK)


def _square(x: float, y: float, colour: str) -> str:
    return rect(x - 4, y - 4, 8, 8, fill="#ffffff", stroke=colour, stroke_width=2)


def shares(chart: str, title: str, rows: Sequence[tuple[str, int, str]]) -> str:
    """Lying bars: name, value, and the value in words."""
    high, most = 24, max((value for _, value, _ in rows), default=0) or 1
    drawn = []
    for number, (name, value, told) in enumerate(rows):
        y = number * high
        broad = 440 * value / most
        drawn.append(text(250, y + 16, name, anchor="end"))
        drawn.append(rect(258, y + 4, broad, 16, fill=fill(chart, number), stroke=INK,
                          stroke_width=0.5))  # fmt: skip
        drawn.append(text(266 + broad, y + 16, told))
    return drawing(chart, WIDTH, max(1, len(rows)) * high + 4, title, *drawn)


def equation(figures: Figures, words: Words) -> str:
    """Funded = the sum of all accounts: the chain in boxes, what lies beside it below."""
    accounts = figures.accounts
    broad, gap = 116, 14
    drawn = [_box(0, 8, 320, words.label("funded"), words.money(figures.funded), 0)]
    drawn.append(text(335, 36, "=", font_size=22))
    for number, kind in enumerate(CHAIN):
        x = number * (broad + gap)
        name = words.label(f"chain_{kind}")
        drawn.append(_box(x, 78, broad, name, _bare(words, accounts.get(kind, 0)), number))
        if number:
            drawn.append(text(x - gap / 2, 104, "→", anchor="middle"))
    others = [kind for kind in accounts if kind not in CHAIN]
    for number, kind in enumerate(others):
        x, y = number % 4 * 228, 148 + number // 4 * 62
        name = words.of_table("account", kind)
        drawn.append(_box(x, y, 214, name, words.money(accounts[kind]), number))
    total = words.label("sum_of_accounts", amount=words.money(sum(accounts.values())))
    drawn.append(text(365, 35, total, font_size=15, font_weight="bold"))
    height = 148 + -(-len(others) // 4) * 62
    return drawing(
        "equation", WIDTH, height, words.label("plot_equation"), *drawn, line(0, 64, 900, 64)
    )


def _bare(words: Words, cents: int) -> str:
    """In a narrow box, below a figure that names the currency."""
    return words.money(cents).removesuffix(" EUR")


def _box(x: float, y: float, broad: float, name: str, amount: str, number: int) -> str:
    return (
        rect(x + 0.5, y, broad - 1, 46, fill="#ffffff", stroke=INK)
        + rect(x + 0.5, y, 8, 46, fill=fill("equation", number), stroke=INK)
        + text(x + 14, y + 18, name)
        + text(x + broad - 8, y + 38, amount, anchor="end", font_weight="bold")
    )
