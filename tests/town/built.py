"""A town for the checks that is built by hand: real keys, real books, chips that can lie."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

import pytest
from sqlalchemy import Engine, text

from backend.domain.ledger import AccountKind, Ref, RefKind, Transfer, TransferKind
from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES, EF_GRANT, EF_SPEND, PURSE_FILES
from cardlib.codec.purse import EMPTY_GRANT, EMPTY_SPEND
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters
from cardlib.keys.grants import SignedGrant
from cardlib.wire.money import Money
from simulator.card.access import Access
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec, Memory
from simulator.errors import TownError
from simulator.town.checks.declared import Declared
from simulator.town.checks.town_checks import TownChecks
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.hall import Hall, HallBackup
from simulator.town.randomness import SeededRandomness
from tests.integration.backend.builders import Chip, Till, Town

_ANYBODY = Access(bytes(9))
NOWHERE = ("", 0)


@dataclass(frozen=True)
class BuiltDelivery:
    """Implements ``declared.DeliverySeen``."""

    terminal: int
    seq: int
    intent: bytes
    cents: int


@dataclass
class BuiltCard:
    """Implements ``evidence.CardSeen`` for a chip."""

    chip: Chip

    @property
    def memory(self) -> Memory:
        chip, key = self.chip, self.chip.keys.debit.record
        grants = [records.seal_grant(key, signed) for signed in chip.grants.values()]
        contents = {
            EF_GRANT.fid: [*grants, *[EMPTY_GRANT] * (8 - len(grants))],
            EF_SPEND.fid: [*chip.records, *[EMPTY_SPEND] * 20][:20],
        }
        files = [
            ElementaryFile(FileSpec.of_purse(file), contents.get(file.fid, [bytes(chip.info)]))
            for file in PURSE_FILES
        ]
        purse = Directory(DF_BUONO_FIRST, _ANYBODY, files=files)
        services = Directory(DF_SERVICES, _ANYBODY, directories=[purse])
        return Memory("white", "0" * 16, b"", Directory(0x3F00, _ANYBODY, directories=[services]))


@dataclass
class BuiltTill:
    """Implements ``evidence.TillSeen`` for a till that can say whatever a test wants."""

    till: Till
    certificate_hash: bytes
    shop: str = "shop"
    number: int = 0
    believes: int | None = None
    """What it takes for acknowledged, where that is not what it has sent."""
    knows_ms: int = 0
    """When its newest round that ended well began."""
    hears_ms: int | None = None
    """When the backend last reached it; None for just now."""

    @property
    def terminal(self) -> int:
        return self.till.number

    @property
    def merchant(self) -> int:
        return self.till.merchant

    @property
    def public_key(self) -> bytes:
        return self.till.key.public.raw

    def entries(self, after: int) -> Iterable[bytes]:
        return self.till.journal[after:]

    @property
    def heard_ms(self) -> int:
        return self.till.town.clock.unix_ms() if self.hears_ms is None else self.hears_ms

    @property
    def told_ms(self) -> int:
        return self.knows_ms

    def acknowledged(self) -> int:
        return self.till.sent if self.believes is None else self.believes

    def answers(self) -> Iterable[bytes]:
        return ()


@dataclass(frozen=True)
class Event:
    """Implements ``evidence.Happened``."""

    id: str
    place: tuple[str, int] = NOWHERE


@dataclass(frozen=True)
class Kept:
    """A built town as it was."""

    backup: HallBackup
    chips: list[tuple[list[bytes], dict[int, SignedGrant]]]
    tills: list[tuple[list[bytes], bytes, int]]
    declared: Declared


@dataclass
class BuiltTown:
    """Implements ``evidence.TownSeen`` over a :class:`Town`; ``checks`` watches it."""

    town: Town
    hall: Hall
    chips: list[BuiltCard] = field(default_factory=list)
    built: list[BuiltTill] = field(default_factory=list)
    declared: Declared = field(default_factory=Declared)
    checks: TownChecks = field(default_factory=lambda: TownChecks(thorough=True))
    seed: int = 7
    concluded: bool = False
    steps: int = 0

    @classmethod
    def new(cls) -> Self:
        """A municipality in memory."""
        hall = Hall(DeviceClock(TownTime(0), "hall"), SeededRandomness("hall"))
        return cls(Town(hall.engine), hall)

    @property
    def engine(self) -> Engine:
        return self.hall.engine

    @property
    def cards(self) -> Sequence[BuiltCard]:
        return self.chips

    @property
    def tills(self) -> Sequence[BuiltTill]:
        return self.built

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        return self.town.keys.masters(issuer, key_set)

    # who lives here -----------------------------------------------------------------------

    def chip(self, cents: int) -> Chip:
        chip = self.town.chip_with(cents)
        self.chips.append(BuiltCard(chip))
        return chip

    def till(self, merchant: int | None = None) -> Till:
        till = self.town.till(merchant)
        self.built.append(BuiltTill(till, till.head, number=len(self.built)))
        return till

    def sell(self, till: Till, chip: Chip, cents: int, *, tc: bool = True) -> int:
        """A whole sale, goods and all; the number of its sale entry."""
        seq = till.sell(chip, cents, tc=tc)
        self.deliver(till, seq - 1, cents)
        return seq

    def deliver(self, till: Till, seq: int, cents: int) -> None:
        """Goods for an intent went over the counter; below zero they came back."""
        intent = b"".join(sha256(one).digest()[:8] for one in till.journal[seq - 1 : seq])
        self.declared.deliveries.append(BuiltDelivery(till.number, seq, intent, cents))

    def void(self, till: Till, chip: Chip, sale: int, cents: int) -> int:
        seq = till.void(chip, sale, cents)  # type: ignore[arg-type]
        self.deliver(till, seq - 1, -cents)
        return seq

    def honest_days(self) -> None:
        """Two shops, one card, sales, a void, a sale without a certificate."""
        till, other = self.till(), self.till(self.town.other_shop)
        chip = self.chip(10_000)
        self.sell(till, chip, 1_250)
        self.look()
        sale = self.sell(other, chip, 400)
        self.void(other, chip, sale, 400)
        self.sell(till, chip, 999, tc=False)
        self.sell(other, chip, 1)
        for one in (till, other):
            one.heartbeat()
            one.sync()
            self.look()

    def keep(self) -> "Kept":
        """Everything as it is now."""
        chips = [(list(one.chip.records), dict(one.chip.grants)) for one in self.chips]
        tills = [(list(one.till.journal), one.till.head, one.till.sent) for one in self.built]
        return Kept(self.hall.backup(), chips, tills, deepcopy(self.declared))

    def put_back(self, kept: "Kept") -> None:
        """As it was kept, with checks that have seen nothing yet, and one look by them."""
        self.checks.close()
        self.hall._fill(kept.backup.database)
        self.declared, self.checks = deepcopy(kept.declared), TownChecks(thorough=True)
        del self.chips[len(kept.chips) :], self.built[len(kept.tills) :]
        for card, (kept_records, grants) in zip(self.chips, kept.chips, strict=True):
            card.chip.records, card.chip.grants = list(kept_records), dict(grants)
        for built, (journal, head, sent) in zip(self.built, kept.tills, strict=True):
            built.till.journal, built.till.head, built.till.sent = list(journal), head, sent
            built.believes = built.hears_ms = None
            built.knows_ms = 0
        self.look()

    # what a test does to it ---------------------------------------------------------------

    def look(self) -> None:
        """A happening is over."""
        self.steps += 1
        self.checks.after(self, Event(f"step-{self.steps}"))

    def end(self) -> None:
        self.checks.at_end(self)

    def caught(self, code: str, *, end: bool = False) -> TownError:
        """The breach that the next look (or the last one) finds."""
        with pytest.raises(TownError) as found:
            self.end() if end else self.look()
        assert found.value.code == code, found.value.facts
        return found.value

    def change(self, statement: str, **values: object) -> None:
        """Somebody changes the database behind everybody's back."""
        with self.engine.begin() as connection:
            done = connection.execute(text(statement), values)
            assert done.rowcount > 0, "the falsification did not apply"

    def book(self, source: AccountKind, target: AccountKind, cents: int, ref: Ref) -> None:
        """A transfer that no event demands, chained as it should be."""
        with self.town.work.begin() as unit:
            accounts = list(unit.ledger.balances())
            (first, *_) = (one for one in accounts if one.kind is source)
            (second, *_) = (one for one in accounts if one.kind is target)
            transfer = Transfer(
                kind=TransferKind.SALE_PROVEN, source=first, target=second, money=Money(cents),
                event_time=self.town.clock.seconds, ref=ref,
            )  # fmt: skip
            unit.ledger.post([transfer], self.town.clock.seconds)
            unit.commit()

    @staticmethod
    def entry_of(till: Till, seq: int) -> Ref:
        return Ref(RefKind.ENTRY, f"{till.number}:{seq}")
