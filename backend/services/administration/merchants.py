"""Merchants: registered by the operator, enabled by a municipality, and what they have sold."""

from dataclasses import dataclass

from backend.adapters.tables.terminals import MerchantProgrammeRow, MerchantRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.iban import checked_iban
from backend.domain.ledger import AccountKind
from backend.services.unit_of_work import Work
from cardlib.ports import Clock

FOREVER = 2**62
"""Later than any event."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One sale or void of a merchant, in cents; a void's are negative.

    ``accepted_cents`` is what the merchant is paid for it, or was already; ``waiting_cents`` what
    ``reason`` holds back.
    ``entry`` is ``terminal:seq``.
    """

    entry: str
    time: int
    accepted_cents: int
    waiting_cents: int
    state: str
    reason: str
    amount_open: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """What a merchant sold in [from, to), Unix seconds."""

    merchant: int
    time_from: int
    time_to: int
    lines: tuple[StatementLine, ...]

    @property
    def accepted_cents(self) -> int:
        """Sold and accepted in this period, as far as it is known, whether paid by now or not."""
        return sum(line.accepted_cents for line in self.lines)

    @property
    def waiting_cents(self) -> int:
        """Held back: unproven, or for a person."""
        return sum(line.waiting_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class MerchantOffice:
    """The use cases."""

    work: Work
    clock: Clock

    def register(self, name: str, iban: str) -> int:
        """A merchant; its number. BadInputError ``IBAN_BAD``."""
        with self.work.begin() as unit:
            row = MerchantRow(name=name, iban=checked_iban(iban), created_at=self._now())
            unit.add(row)
            unit.commit()
            return row.id

    def enable(self, merchant: int, programme: int) -> None:
        """The municipality lets the merchant take the programme's vouchers."""
        with self.work.begin() as unit:
            unit.terminals.merchant(merchant)
            unit.programmes.programme(programme)
            known = unit.terminals.enabled(merchant, programme)
            if known is None:
                unit.add(
                    MerchantProgrammeRow(
                        merchant_id=merchant, programme_id=programme, enabled_at=self._now()
                    )
                )
            else:
                known.disabled_at = None
            unit.commit()

    def statement(self, merchant: int, time_from: int = 0, time_to: int = FOREVER) -> Statement:
        """Lines and totals of a period; UnknownError ``MERCHANT_UNKNOWN``."""
        with self.work.read() as unit:
            unit.terminals.merchant(merchant)
            rows = unit.verdicts.postings_of_merchant(merchant, time_from, time_to)
            lines = tuple(_line(unit, row) for row in rows)
        return Statement(merchant, time_from, time_to, lines)

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def _line(unit: Unit, row: PostingRow) -> StatementLine:
    held: dict[AccountKind, int] = {}
    for part in row.parts:
        kind = unit.ledger.account(part.holder_id).kind
        held[kind] = held.get(kind, 0) + part.cents
    return StatementLine(
        entry=f"{row.terminal}:{row.closing_seq or row.intent_seq}",
        time=row.event_time,
        accepted_cents=held.get(AccountKind.PAYABLE, 0),
        waiting_cents=held.get(AccountKind.SUSPENSE, 0),
        state=row.state,
        reason=row.reason,
        amount_open=row.amount_open,
    )
