"""The day's totals (X) and its close (Z), from the journal alone.

A *batch* is what a till wrote since the last close. The close is a signed entry: first and
last number, what was sold and voided, what still waits here, and the ledger head that the
backend last told, so that neither the till nor the backend can tell another story later.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cardlib.calendar import local_time
from cardlib.codec.purse import SpendType
from cardlib.text.catalogue import label, money
from cardlib.wire.batch_close import BatchClose, Count
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.ids import Seq
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.money import Money
from cardlib.wire.upload import Acknowledgement
from terminal.journal.derived import IntentState, purse_of
from terminal.journal.journal import JournalReader
from terminal.receipts import grant_of
from terminal.till import Till

_WIDTH = 40


@dataclass(slots=True)
class DayTotals:
    """What the open batch holds. Wallets and categories in cents net of voids."""

    terminal: int
    merchant: str
    batch: int
    close: BatchClose
    unix: int
    open_intent: Seq | None
    wallets: Counter[str] = field(default_factory=Counter)
    """By the programme's name."""
    categories: Counter[int] = field(default_factory=Counter)
    """By the category's bit."""

    @property
    def entries(self) -> int:
        """How many entries the batch has."""
        return self.close.last - self.close.first + 1


def totals(till: Till, reader: JournalReader) -> DayTotals:
    """The open batch as it stands now; writes nothing."""
    views = reader.views
    first, head = views.batch_start(), views.head()
    unsettled = views.unsettled()
    found = DayTotals(
        till.certificate.terminal, till.certificate.merchant_name, views.batch(),
        BatchClose(
            first=first, last=head.seq, sales=Count(), voids=Count(),
            waiting=reader.acknowledgements.pending_count(), unsettled=len(unsettled),
            ledger=_ledger_head(till, reader),
        ),
        till.clock.unix_ms() // 1000,
        next((item.seq for item in unsettled if item.state is IntentState.OPEN), None),
    )  # fmt: skip
    counts: dict[SpendType, list[int]] = {SpendType.SALE: [0, 0], SpendType.VOID: [0, 0]}
    for stored in views.entries(first - 1):
        entry = stored.decode()
        if isinstance(entry.body, Committed):
            _count(till, reader, views.entry(entry.body.intent_seq).decode(), counts, found)
    found.close = _with_counts(found.close, counts)
    return found


def close_day(till: Till) -> tuple[Entry, DayTotals]:
    """Writes the close of the open batch; JournalError ``CLOSE_INTENT_OPEN``."""
    found = totals(till, till.journal)
    return till.journal.append(found.close), found


def _ledger_head(till: Till, reader: JournalReader) -> LedgerHead | None:
    newest = reader.acknowledgements.newest()
    return Acknowledgement.open(newest, till.operator).ledger if newest else None


def _count(
    till: Till, reader: JournalReader, intent: Entry, counts: dict[SpendType, list[int]],
    found: DayTotals,
) -> None:  # fmt: skip
    body = intent.body
    assert isinstance(body, Intent)
    sign = -1 if body.plan.type is SpendType.VOID else 1
    count = counts[body.plan.type]
    count[0] += 1
    for line in body.lines:
        count[1] += line.cents
        found.categories[line.category] += sign * line.cents
        purse = purse_of(body)
        grant = grant_of(purse, line.grant_seq, reader.views)
        name = till.trust.programme_name(purse.issuer, grant.programme) if grant else "?"
        found.wallets[name] += sign * line.cents


def _with_counts(close: BatchClose, counts: dict[SpendType, list[int]]) -> BatchClose:
    sales, voids = (Count(*counts[kind]) for kind in (SpendType.SALE, SpendType.VOID))
    return BatchClose(
        first=close.first, last=close.last, sales=sales, voids=voids, waiting=close.waiting,
        unsettled=close.unsettled, ledger=close.ledger,
    )  # fmt: skip


def render(found: DayTotals, till: Till, lang: str, closed: Entry | None = None) -> str:
    """The slip: of a close, with its entry's hash; without, of totals that close nothing."""

    def say(key: str, **facts: object) -> str:
        return label("day", key, lang, **facts)

    close, at = found.close, local_time(found.unix)
    names = {item.bit: item.name_it if lang == "it" else item.name_en
             for item in till.trust.categories}  # fmt: skip
    lines = [
        found.merchant,
        say("title_close" if closed else "title_totals", batch=found.batch),
        say("when", day=f"{at:%d/%m/%Y}", time=f"{at:%H:%M}", terminal=found.terminal), "",
        say("entries", first=close.first, last=close.last, count=found.entries),
        _row(say("sales", count=close.sales.number), close.sales.cents, lang),
        _row(say("voids", count=close.voids.number), -close.voids.cents, lang),
        "-" * _WIDTH,
        _row(say("net"), close.sales.cents - close.voids.cents, lang),
        *_part(say("by_wallet"), sorted(found.wallets.items()), lang),
        *_part(
            say("by_category"),
            [(names.get(bit) or str(bit), net) for bit, net in sorted(found.categories.items())],
            lang,
        ),
        "", say("waiting", count=close.waiting), say("unsettled", count=close.unsettled),
        *_head(close.ledger, say),
    ]  # fmt: skip
    if closed is not None:
        digest = closed.hash.hex()
        lines += ["", say("code", seq=closed.header.seq), digest[:32], digest[32:]]
    return "\n".join(lines) + "\n"


def _part(title: str, rows: list[tuple[str, int]], lang: str) -> list[str]:
    return ["", title, *(_row(name, cents, lang) for name, cents in rows)] if rows else []


def _head(ledger: LedgerHead | None, say: Callable[..., str]) -> list[str]:
    return ["", say("ledger"), ledger.words if ledger else say("ledger_unknown")]


def _row(name: str, cents: int, lang: str) -> str:
    amount = money(Money(cents), lang)
    return f"{name[: _WIDTH - len(amount) - 1]:<{_WIDTH - len(amount)}}{amount}"


def as_object(found: DayTotals, closed: Entry | None = None) -> dict[str, object]:
    """The same for programs."""
    close = found.close
    head = close.ledger
    return {
        "batch": found.batch, "first": close.first, "last": close.last, "entries": found.entries,
        "sales": {"count": close.sales.number, "cents": close.sales.cents},
        "voids": {"count": close.voids.number, "cents": close.voids.cents},
        "wallets": dict(found.wallets),
        "categories": {str(bit): cents for bit, cents in found.categories.items()},
        "waiting": close.waiting, "unsettled": close.unsettled,
        "ledger_head": {"transfer": head.transfer, "hash": head.hash.hex()} if head else None,
        "entry": {"seq": closed.header.seq, "hash": closed.hash.hex()} if closed else None,
    }  # fmt: skip
