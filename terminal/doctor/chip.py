"""``borsellino doctor --probe``: asks a chip, times it, and tells people and programs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from cardlib.channel import Channel
from cardlib.codec.apdu import Response
from cardlib.codec.atr import Atr
from cardlib.connection import CardConnection, InReader
from cardlib.dialogues.probe import Report, Writing, probe_card
from cardlib.dialogues.volley import converse
from cardlib.errors import MalformedError
from cardlib.ports import Clock
from cardlib.text.catalogue import label
from cardlib.trace import command_name
from terminal.doctor.reader import described

TABLE = "probe"


@dataclass(slots=True)
class ChipReport:
    """What a chip said, and milliseconds by command that it carried out.

    ``reader`` is empty for an image.
    """

    atr: bytes
    reader: str
    unix: int
    report: Report
    times_ms: dict[str, list[int]] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        """Whether the card went away before all was asked."""
        return any(item.question == "card_stayed" for item in self.report.answers)

    @property
    def chip(self) -> str:
        """The chip in a few words: ATR, and what it says of itself."""
        raw = self.atr.hex().upper()
        try:
            return f"{raw} ({described(Atr.decode(self.atr))})"
        except MalformedError:
            return raw

    def medians(self) -> Iterator[tuple[str, float, int]]:
        """Command, median milliseconds, how often it was measured."""
        for name, times in sorted(self.times_ms.items()):
            yield name, float(median(times)), len(times)


def ask(connection: CardConnection, clock: Clock, writing: Writing | None) -> ChipReport:
    """Carries the probe out; the card is reset when ``connection`` is closed."""
    channel = Channel(connection)
    times: dict[str, list[int]] = {}

    def transmit(apdu: bytes) -> bytes:
        start = clock.monotonic_ms()
        answer = channel.transmit(apdu)
        if Response.decode(answer).ok:  # a refusal is quick, and says nothing of the work
            times.setdefault(command_name(apdu), []).append(clock.monotonic_ms() - start)
        return answer

    atr = connection.atr
    reader = connection.reader if isinstance(connection, InReader) else ""
    report = converse(probe_card(writing), transmit)
    return ChipReport(atr, reader, clock.unix_ms() // 1000, report, times)


def as_object(chip: ChipReport) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "atr": chip.atr.hex(),
        "reader": chip.reader,
        "unix": chip.unix,
        "purse": chip.report.purse,
        "complete": not chip.gone,
        "answers": {
            item.question: {"reply": item.reply.value, "detail": item.detail}
            for item in chip.report.answers
        },
        "median_ms": {name: time for name, time, _ in chip.medians()},
    }


def told(chip: ChipReport, lang: str) -> Iterator[str]:
    """For people: one line a question."""
    yield label(TABLE, "chip", lang, chip=chip.chip)
    yield label(TABLE, f"purse_{chip.report.purse}", lang)
    for item in chip.report.answers:
        reply = label(TABLE, f"reply_{item.reply.value}", lang)
        yield f"{reply:<13} {label(TABLE, item.question, lang)}{_detail(item.detail, lang)}"
    for name, time, count in chip.medians():
        yield label(TABLE, "time", lang, command=name, ms=f"{time:g}", count=count)


def _detail(detail: str, lang: str) -> str:
    return f"  [{_reason(detail, lang)}]" if detail else ""


def _reason(detail: str, lang: str) -> str:
    key = f"why_{detail}"
    reason = label(TABLE, key, lang)
    return detail if reason == key else reason


def form(chip: ChipReport, lang: str, software: str) -> str:
    """A page in Markdown to file under ``docs/chips``: what this chip can do."""
    day = datetime.fromtimestamp(chip.unix, UTC).date().isoformat()
    head = [
        f"# {label(TABLE, 'form_title', lang, atr=chip.atr.hex().upper())}",
        "",
        f"- {label(TABLE, 'chip', lang, chip=chip.chip)}",
        f"- {label(TABLE, 'form_reader', lang, reader=chip.reader or '-')}",
        f"- {label(TABLE, f'purse_{chip.report.purse}', lang)}",
        f"- {label(TABLE, 'form_made', lang, day=day, software=software)}",
        f"- {label(TABLE, 'form_lot', lang)}",
        "",
        f"| {label(TABLE, 'form_columns', lang)} |",
        "|---|---|---|",
    ]
    rows = [
        f"| {label(TABLE, item.question, lang)} (`{item.question}`) "
        f"| {label(TABLE, f'reply_{item.reply.value}', lang)} | {_reason(item.detail, lang)} |"
        for item in chip.report.answers
    ]
    times = [
        "",
        f"| {label(TABLE, 'form_times', lang)} |",
        "|---|---|---|",
        *(f"| {name} | {time:g} | {count} |" for name, time, count in chip.medians()),
    ]
    return "\n".join([*head, *rows, *times]) + "\n"
