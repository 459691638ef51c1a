"""The town seen from above, as something that rich prints; states in words, not only in colour."""

from rich.box import ROUNDED
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulator.town.report.chronicle import Chronicle
from simulator.town.report.ledger_sums import CHAIN
from simulator.town.report.snapshot import ShopView, Snapshot, TillView
from simulator.town.report.words import Words

BOX_WIDTH_MIN = 26
_BESIDES_SHOPS = 14
"""Lines of everything else, with two lines of news."""
_NEWS, _PEOPLE_FROM = 2, 6
"""Lines of news at least; and how many must be left before people are shown by name."""
_BOX_LINES = 4
"""Lines of a shop's box besides its tills."""
_GOOD, _OFF, _QUIET = "green", "yellow", "dim"


class TownPicture:
    """A snapshot; ``speed`` is town time over real time. Fills the terminal, never more."""

    def __init__(self, shot: Snapshot, words: Words, speed: int) -> None:
        self._shot = shot
        self._words = words
        self._speed = speed

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many shops, people and news as there is room for."""
        width, height = options.max_width, options.height or console.size.height
        columns = min(max(1, width // BOX_WIDTH_MIN), len(self._shot.shops))
        shops = self._shops(columns, height - _BESIDES_SHOPS)
        chronicle = Chronicle(self._shot, self._words)
        left = height - len(console.render_lines(Group(*shops), options)) - _BESIDES_SHOPS
        people = chronicle.people_lines(width, left // 2) if left > _PEOPLE_FROM else []
        news = max(1, left + _NEWS - len(console.render_lines(Group(*people), options)))
        yield Group(
            self._title(), self._progress(width), *shops, self._offices(), *self._money(),
            chronicle.people(), *people, chronicle.faults(), chronicle.alarms(),
            *chronicle.news(news),
        )  # fmt: skip

    # at the top -------------------------------------------------------------------------------

    def _title(self) -> RenderableType:
        shot, words = self._shot, self._words
        line = Table.grid(expand=True)
        line.add_column(no_wrap=True)
        line.add_column(justify="right", no_wrap=True)
        line.add_row(
            Text(words.label("title"), style="bold"),
            Text(words.label("moment", seed=shot.seed, day=shot.day, days=shot.days,
                             moment=words.moment(shot.now_ms)), style="bold"),
        )  # fmt: skip
        return line

    def _progress(self, width: int) -> RenderableType:
        shot = self._shot
        line = Table.grid(expand=True, padding=(0, 1))
        line.add_column(ratio=1)
        line.add_column(no_wrap=True)
        share = 100 * shot.done // max(1, shot.happenings)
        told = self._words.label(
            "progress", share=share, sales=self._words.number(shot.sales),
            speed=self._words.number(self._speed),
        )  # fmt: skip
        bar = ProgressBar(shot.happenings, shot.done, width=max(10, width - len(told) - 2))
        line.add_row(bar, told)
        return line

    # the shops --------------------------------------------------------------------------------

    def _shops(self, columns: int, room: int) -> list[RenderableType]:
        """Boxes where all fit, else a line each, the last one for those that do not fit."""
        shops = self._shot.shops
        tills = max(len(shop.tills) for shop in shops)
        if -(-len(shops) // columns) * (tills + _BOX_LINES) > room:
            shown = shops if len(shops) <= room else shops[: room - 1]
            hidden = shops[len(shown) :]
            lines: list[RenderableType] = [self._shop_line(shop) for shop in shown]
            return [*lines, self._hidden(hidden)] if hidden else lines
        grid = Table.grid(expand=True)
        for _ in range(columns):
            grid.add_column(ratio=1)
        boxes = [self._shop(shop, tills) for shop in shops]
        for start in range(0, len(boxes), columns):
            grid.add_row(*boxes[start : start + columns])
        return [grid]

    def _shop_line(self, shop: ShopView) -> Text:
        text = Text(f"{shop.name[:20]:<21}", no_wrap=True, overflow="ellipsis")
        text.append_text(self._line_state(shop))
        for till in shop.tills:
            text.append(" · ").append_text(self._till(till))
        if shop.visitors:
            who = ", ".join(shop.visitors)
            text.append(" · " + self._words.label("visitors", who=who), style=_QUIET)
        return text

    def _line_state(self, shop: ShopView) -> Text:
        if shop.online:
            return Text(self._words.label("online"), style=_GOOD)
        return Text(self._words.label("offline"), style=_OFF)

    def _hidden(self, shops: tuple[ShopView, ...]) -> Text:
        return Text(
            self._words.label(
                "more_shops", count=len(shops), offline=sum(not shop.online for shop in shops),
                waiting=sum(till.waiting for shop in shops for till in shop.tills),
            ), style=_QUIET,
        )  # fmt: skip

    def _shop(self, shop: ShopView, tills: int) -> Panel:
        words = self._words
        lines = [self._line_state(shop)]
        lines += [self._till(till) for till in shop.tills]
        visitors = ", ".join(shop.visitors)
        lines.append(Text(words.label("visitors", who=visitors) if visitors else "", style=_QUIET))
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        lines += [Text()] * (tills - len(shop.tills))
        return Panel(Group(*lines), title=shop.name, title_align="left", box=ROUNDED,
                     border_style="" if shop.online else _OFF)  # fmt: skip

    def _till(self, till: TillView) -> Text:
        words = self._words
        text = Text(words.label("till", number=till.number + 1))
        text.append(words.label("open" if till.open else "closed"),
                    style=_GOOD if till.open else _QUIET)  # fmt: skip
        if till.waiting:
            text.append(", " + words.label("waiting", count=till.waiting))
        if till.cases:
            text.append(", " + words.label("parked", count=till.cases), style=_OFF)
        return text

    # town hall, backend, bank -----------------------------------------------------------------

    def _offices(self) -> RenderableType:
        shot, words = self._shot, self._words
        here = ", ".join(person.name for person in shot.at("desk"))
        backend = words.label("recovering") if shot.recovering else words.label("runs")
        grid = Table.grid(expand=True)
        for _ in range(3):
            grid.add_column(ratio=1)
        texts = (
            ("desk", here or words.label("nobody"),
             words.label("waiting", count=shot.desk.waiting)),
            ("backend", backend,
             words.label("backend_facts", transfers=words.number(shot.transfers),
                         deaths=shot.deaths)),
            ("bank", words.label("orders", count=shot.orders_at_bank),
             words.label("bank_paid", amount=words.money(shot.paid))),
        )  # fmt: skip
        grid.add_row(*(self._office(*text) for text in texts))
        return grid

    def _office(self, key: str, *lines: str) -> Panel:
        texts = [Text(line, no_wrap=True, overflow="ellipsis") for line in lines]
        return Panel(Group(*texts), title=self._words.label(key), title_align="left", box=ROUNDED)

    def _money(self) -> list[RenderableType]:
        """The chain, with what lies beside it below."""
        money, words = self._shot.money, self._words
        grid = Table.grid(expand=True)
        for _ in CHAIN:
            grid.add_column(justify="center", no_wrap=True, ratio=1)
        kinds = [words.label(f"chain_{kind}") for kind in CHAIN]
        grid.add_row(*(Text(f"{kind} →" if kind != kinds[-1] else kind, style="bold")
                       for kind in kinds))  # fmt: skip
        grid.add_row(*(words.money(money.get(kind, 0)).removesuffix(" EUR") for kind in CHAIN))
        return [grid, Text(self._besides(), style=_QUIET, no_wrap=True, overflow="ellipsis")]

    def _besides(self) -> str:
        others = {
            kind: cents for kind, cents in self._shot.money.items()
            if kind not in (*CHAIN, "external")
        }  # fmt: skip
        words = self._words
        told = ", ".join(
            f"{words.of_table('account', kind)} {words.money(cents)}"
            for kind, cents in sorted(others.items())
        )
        return words.label("besides", what=told or words.label("nothing"))
