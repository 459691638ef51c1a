"""The lower part of the picture: people, faults, alarms and news, a line each."""

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from simulator.town.report.observer import News
from simulator.town.report.snapshot import AT_HOME, Holding, Snapshot
from simulator.town.report.words import Words

_OFF, _BAD = "yellow", "bold red"
_HOLDING_STYLES = {Holding.CARD: "", Holding.LOST: _BAD}
_NAME_WIDTH = 40


class Chronicle:
    """What goes on, in words; each line is cut where the terminal ends."""

    def __init__(self, shot: Snapshot, words: Words) -> None:
        self._shot = shot
        self._words = words

    def people(self) -> Text:
        """How many there are, out now, and with what."""
        people, words = self._shot.people, self._words
        away = sum(person.where != AT_HOME for person in people)
        holding = Counter(person.holding for person in people)
        told = ", ".join(
            words.label(f"with_{kind}", count=count) for kind, count in sorted(holding.items())
        )
        return _line(words.label("people", count=len(people), away=away), told)

    def people_lines(self, width: int, room: int) -> list[RenderableType]:
        """Each by name, in columns: where, and with what."""
        columns = max(1, width // _NAME_WIDTH)
        grid = Table.grid(expand=True, padding=(0, 1))
        for _ in range(columns):
            grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        cells = [self._person(number) for number in range(len(self._shot.people))]
        cells = cells[: room * columns]
        for start in range(0, len(cells), columns):
            grid.add_row(*cells[start : start + columns])
        return [grid] if cells else []

    def _person(self, number: int) -> Text:
        person, words = self._shot.people[number], self._words
        where = words.label("home") if person.where == AT_HOME else words.shop(person.where)
        text = Text(f"  {person.name}: {where}")
        if person.holding is not Holding.CARD:
            text.append(f", {words.label(f'is_{person.holding}')}",
                        style=_HOLDING_STYLES.get(person.holding, _OFF))  # fmt: skip
        return text

    def faults(self) -> Text:
        """What has struck, the most frequent first."""
        words = self._words
        faults = Counter(dict(self._shot.faults))
        told = ", ".join(f"{words.fault(kind)} {count}" for kind, count in faults.most_common())
        return _line(words.label("faults", count=faults.total()), told)

    def alarms(self) -> Text:
        """How many rang, and whether anybody had caused them."""
        shot = self._shot
        told = self._words.label(
            "alarms", explained=shot.alarms_explained, false=shot.alarms_false,
            missed=shot.alarms_missed,
        )  # fmt: skip
        bad = shot.alarms_false or shot.alarms_missed
        return _line(self._words.label("alarms_title"), told, _BAD if bad else "")

    def news(self, room: int) -> Iterator[Text]:
        """The newest happenings, the last one at the end."""
        for news in list(self._shot.news)[-room:]:
            yield self._told(news)

    def _told(self, news: News) -> Text:
        words = self._words
        text = Text(words.clock(news.happening.at_ms), style="", no_wrap=True, overflow="ellipsis")
        text.append(" " + words.happening(news.happening))
        if news.struck:
            struck = ", ".join(words.fault(kind) for kind in news.struck)
            text.append(f" — {struck}", style=_OFF)
        return text


def _line(title: str, told: str, style: str = "") -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(title, style="bold")
    if told:
        text.append(" " + told, style=style)
    return text
