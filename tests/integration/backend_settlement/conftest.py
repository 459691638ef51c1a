"""A small town with one shop: sales are put into the books as the judgement of entries does."""

from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from backend.adapters.pain001 import Debtor
from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.programmes import FundingSourceRow, MunicipalityRow, ProgrammeRow
from backend.adapters.tables.terminals import MerchantRow, TerminalRow
from backend.adapters.tables.verdicts import CaseRow, PostingPartRow, PostingRow
from backend.adapters.unit_of_work import DatabaseWork, Unit
from backend.domain.ledger import (
    Account,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
)
from backend.domain.settlement import Period
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.outcomes import OutcomeService
from backend.services.settlement.reviews import ReviewOffice
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.card.randomness import SeededRandomness
from tests.ledger_equations import check_programmes

IBAN = "IT60X0542811101000000123456"
DEBTOR = Debtor("Comune di Borgo", "IT13S0542811101000000123457")
MARCH = Period(1_772_319_600, 1_774_994_400)
"""1 to 31 March 2026, Europe/Rome."""
APRIL = Period(1_774_994_400, 1_777_586_400)
NOW = 1_775_037_600
"""1 April 2026, noon."""


class FixedClock:
    boot_id = bytes(8)

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def unix_ms(self) -> int:
        return self.now * 1000

    def monotonic_ms(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"the backend does not wait {seconds} s")


@dataclass
class Town:
    """Municipality 1, programme 1, funding source 1, merchant 1 with terminal 7, one purse."""

    work: DatabaseWork
    clock: FixedClock
    counter: int = 0
    settlement: SettlementService = field(init=False)
    outcomes: OutcomeService = field(init=False)
    reviews: ReviewOffice = field(init=False)

    def __post_init__(self) -> None:
        self.settlement = SettlementService(self.work, self.clock)
        self.outcomes = OutcomeService(self.work, self.clock)
        self.reviews = ReviewOffice(self.work, self.clock, SeededRandomness("review"))

    def found(self) -> None:
        with self.work.begin() as unit:
            unit.add(MunicipalityRow(issuer=b"\x01\x51\x46", name="Borgo", key_set=1, created_at=0))
            unit.add(FundingSourceRow(municipality_id=1, name="State"), _programme())
            unit.add(MerchantRow(name="Alimentari Rossi", iban=IBAN, created_at=0))
            unit.add(new_terminal(7), _purse())
            self._move(unit, AccountKind.EXTERNAL, AccountKind.ON_CARD, 100_000)
            unit.commit()

    def sale(
        self, cents: int, at: int = MARCH.start + 60, *, state: str = "proven",
        amount_open: bool = False, reason: str = "", posted: bool = True,
    ) -> int:  # fmt: skip
        """A sale (a void when negative) of terminal 7; the posting's id."""
        with self.work.begin() as unit:
            self.counter += 1
            holder = self._claim_holder(unit, reason)
            origin = account(AccountKind.ON_CARD)
            row = _posting(self.counter, at, state, reason, amount_open=amount_open)
            row.is_void, row.case_id = cents < 0, holder.case
            row.parts = [
                PostingPartRow(
                    slot=1, cents=cents, origin_id=unit.ledger.row(origin).id,
                    holder_id=unit.ledger.row(holder).id,
                )
            ]  # fmt: skip
            unit.add(row)
            source, target = (origin, holder) if cents > 0 else (holder, origin)
            unit.ledger.post([_transfer(source, target, abs(cents), at)], at)
            if posted:
                unit.cards.purse(PurseId(b"\x01\x51\x46", bytes(8))).card_mark = self.counter
            unit.commit()
            return row.id

    def balance(self, kind: AccountKind) -> int:
        with self.work.begin() as unit:
            return unit.ledger.balance(account(kind))

    def check_books(self) -> None:
        """Law 1: the pot holds what was funded, nothing is overdrawn."""
        with self.work.begin() as unit:
            check_programmes(unit.ledger.balances())

    def _claim_holder(self, unit: Unit, reason: str) -> Account:
        if not reason:
            return account(AccountKind.PAYABLE)
        case = CaseRow(code=reason, state="open", opened_at=0)
        unit.add(case)
        return Account(
            kind=AccountKind.SUSPENSE, municipality=1, programme=1, funding_source=1, case=case.id
        )

    def _move(self, unit: Unit, source: AccountKind, target: AccountKind, cents: int) -> None:
        unit.ledger.post([_transfer(account(source), account(target), cents, 1)], 1)


def account(kind: AccountKind) -> Account:
    """The town's only account of a kind."""
    merchant_kinds = {AccountKind.PAYABLE, AccountKind.IN_PAYMENT, AccountKind.PAID}
    return Account(
        kind=kind, municipality=1, programme=1, funding_source=1,
        purse=1 if kind is AccountKind.ON_CARD else None,
        slot=1 if kind is AccountKind.ON_CARD else None,
        merchant=1 if kind in merchant_kinds else None,
    )  # fmt: skip


def _transfer(source: Account, target: Account, cents: int, at: int) -> Transfer:
    return Transfer(
        kind=TransferKind.SALE_PROVEN, source=source, target=target, money=Money(cents),
        event_time=at, ref=Ref(RefKind.ENTRY, "7:1"),
    )  # fmt: skip


def _posting(ctr: int, at: int, state: str, reason: str, *, amount_open: bool) -> PostingRow:
    return PostingRow(
        purse_id=1, ctr=ctr, record_hash=sha256(bytes([ctr])).digest(), state=state, live=True,
        amount_open=amount_open, reason=reason, is_void=False, terminal=7,
        intent_seq=2 * ctr - 1, closing_seq=2 * ctr, merchant_id=1, event_time=at, booked_at=NOW,
    )  # fmt: skip


def _programme() -> ProgrammeRow:
    return ProgrammeRow(
        municipality_id=1, number=1, name="Food", categories=1, valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31), day_limit_eur=0,
    )  # fmt: skip


def new_terminal(number: int, mark: int = NOW) -> TerminalRow:
    return TerminalRow(
        number=number, merchant_id=1, public_key=SigningKey(bytes([number]) * 32).public.raw,
        certificate=b"", training=False, enrolled_at=0, high_hash=bytes(32), mark=mark,
    )  # fmt: skip


def _purse() -> PurseRow:
    return PurseRow(
        municipality_id=1, number=bytes(8), info_core=b"\x01" + bytes(15), created_at=0, card_mark=0
    )


@pytest.fixture
def town(engine: Engine) -> Town:
    town = Town(DatabaseWork(engine), FixedClock())
    town.found()
    return town
