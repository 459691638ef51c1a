"""A town with a backend on a migrated SQLite file, two stations, and cards that can be torn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from nacl.public import PrivateKey
from sqlalchemy import Engine

from backend.adapters.key_store import MemoryKeyStore, TransportKeys
from backend.adapters.tables.cards import LoadOrderRow, StockCardRow
from backend.adapters.tables.journals import EntryRow
from backend.adapters.tables.programmes import (
    AwardRow,
    FundingSourceRow,
    IssuerKeyRow,
    MunicipalityRow,
    ProgrammeRow,
)
from backend.adapters.tables.terminals import MerchantRow, TerminalRow
from backend.adapters.unit_of_work import DatabaseWork, Unit
from backend.domain.ledger import (
    Account,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
)
from backend.services.card_sessions.sessions import CardSessions
from backend.services.keys.key_sets import KeySetOffice
from cardlib.codec.files import KeyId
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info, Spend, SpendType
from cardlib.connection import CardConnection
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import PurseId, TerminalNumber
from cardlib.wire.module_keys import KeyRequest
from cardlib.wire.money import Money
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import ElementaryFile, Memory
from simulator.card.masks import TRANSPORT_KEYS, WHITE, make_card, random_transport_keys
from simulator.card.personal import Holder, training_ca_certificate
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.stock import stock_kind
from terminal.agent.card_session import run_session
from tests.ledger_equations import check_programmes

ISSUER = bytes.fromhex("015146")
DESK, TILL = 501, 502
START = 1_790_000_000
FUNDED = 100_000


@dataclass
class StoppedClock:
    """Moves only when a test says so."""

    now_s: int = START
    boot_id: bytes = bytes(8)

    def unix_ms(self) -> int:
        return self.now_s * 1000

    def monotonic_ms(self) -> int:
        return self.now_s * 1000

    def sleep(self, seconds: float) -> None:
        self.now_s += int(seconds)


@dataclass
class LettersInMemory:
    """PIN letters, by purse."""

    sent: dict[PurseId, tuple[str, str]] = field(default_factory=dict)

    def issue(self, purse: PurseId, serial: str, pin: str, puk: str) -> None:
        assert self.sent.get(purse, (pin, puk)) == (pin, puk), serial
        self.sent[purse] = (pin, puk)

    def reissue(self, purse: PurseId, serial: str, pin: str) -> None:
        assert serial
        self.sent[purse] = (pin, self.sent.get(purse, ("", ""))[1])


@dataclass
class Uplink:
    """A station's way to the backend, without HTTP in between."""

    sessions: CardSessions
    terminal: int = DESK
    steps: int = 0

    def open(self, opening: SessionOpening) -> SessionCommands:
        return self.sessions.open(self.terminal, opening)

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        self.steps += 1
        return self.sessions.step(self.terminal, session, answers)


class Town:
    """Backend, keys, money and cards of one town."""

    def __init__(self, engine: Engine, twin: "Town | None" = None, seed: str = "town") -> None:
        """A new town, or one on a copy of a twin's database, with the twin's keys."""
        self.randomness = SeededRandomness(seed)
        self.clock = StoppedClock()
        self.work = DatabaseWork(engine)
        self.keys: MemoryKeyStore = MemoryKeyStore(self.randomness) if twin is None else twin.keys
        self.letters = LettersInMemory()
        self.sessions = self.backend(self.work)
        if twin is None:
            self._found()

    def backend(self, work: DatabaseWork) -> CardSessions:
        """A backend process on the town's database, as after a restart."""
        return CardSessions(
            work, self.keys, self.clock, self.randomness, self.letters,
            (training_ca_certificate(),),
        )  # fmt: skip

    def _found(self) -> None:
        self.keys.create_operator()
        self.keys.create_masters(ISSUER, 1)
        grant_key = self.keys.create_grant_key(ISSUER, 1)
        with self.work.begin() as unit:
            unit.add(MunicipalityRow(issuer=ISSUER, name="Borgo", key_set=1, created_at=START))
            unit.add(
                IssuerKeyRow(
                    municipality_id=1, key_id=1, public_key=bytes(grant_key.public),
                    created_at=START,
                ),
                FundingSourceRow(municipality_id=1, name="State"),
                MerchantRow(name="Bottega", iban="IT60X0542811101000000123456", created_at=START),
            )  # fmt: skip
            unit.add(*(_programme(number) for number in (12, 13)), *map(_terminal, (DESK, TILL)))
            for programme in (1, 2):
                unit.add(_award(programme))
                unit.ledger.post(_funding(programme), START)
            unit.commit()

    # Cards ---------------------------------------------------------------------------------

    def stock_card(self, mask: str = WHITE, seed: str = "card", suite: int = 1) -> "Card":
        """A blank card, in stock."""
        randomness = SeededRandomness(seed)
        transport = random_transport_keys(randomness)
        memory = make_card(mask, randomness, Holder(), transport)
        keys = TransportKeys(*(transport[number] for number in TRANSPORT_KEYS))
        self.keys.add_transport_keys(memory.serial, keys)
        kind = stock_kind(memory)
        with self.work.begin() as unit:
            unit.add(
                StockCardRow(
                    serial=memory.serial, kind=kind, municipality_id=1, state="new",
                    imported_at=START, suite=suite,
                )
            )  # fmt: skip
            unit.commit()
        return Card(memory, VirtualCard(memory, randomness), self)

    def purse_card(self, seed: str = "card", mask: str = WHITE, suite: int = 1) -> "Card":
        """A personalised card."""
        card = self.stock_card(mask, seed=seed, suite=suite)
        done = self.personalise(card)
        assert done.outcome == "PURSE_MADE", done.outcome
        return card

    # Sessions ------------------------------------------------------------------------------

    def personalise(self, card: "Card", line: CardConnection | None = None) -> SessionCommands:
        opening = SessionOpening("personalise", card.serial)
        return run_session(line or card.line, Uplink(self.sessions), opening)

    def load(
        self,
        card: "Card",
        line: CardConnection | None = None,
        *,
        order: int | None = None,
        uplink: "Uplink | None" = None,
        purpose: str = "load",
    ) -> SessionCommands:
        opening = SessionOpening(purpose, "" if order is None else str(order))
        return run_session(line or card.line, uplink or Uplink(self.sessions), opening)

    def renew(
        self, card: "Card", line: CardConnection | None = None, *, pin: str | None = None,
        uplink: "Uplink | None" = None,
    ) -> SessionCommands:  # fmt: skip
        """The purse's key set is changed; ``pin`` if not the right one, empty for none."""
        typed = card.pin if pin is None else pin
        asked: list[int | None] = []

        def ask(left: int | None) -> Pin | None:
            asked.append(left)
            return Pin(typed) if typed and len(asked) == 1 else None

        way = uplink or Uplink(self.sessions)
        return run_session(line or card.line, way, SessionOpening("renew", ""), ask_pin=ask)

    def reset_pin(self, card: "Card", line: CardConnection | None = None) -> SessionCommands:
        opening = SessionOpening("pin", "ada")
        return run_session(line or card.line, Uplink(self.sessions), opening)

    def begin_key_set(self) -> int:
        """A new key set that every till holds, begun."""
        office = KeySetOffice(self.work, self.keys, self.clock)
        number = office.announce(ISSUER.hex(), "ada")
        for terminal in (DESK, TILL):
            box = bytes(PrivateKey(terminal.to_bytes(32, "big")).public_key)
            request = KeyRequest(box, ((ISSUER, number),))
            office.hand_out(request, TerminalNumber(terminal))
        return office.begin(ISSUER.hex(), "bea")

    # Money ---------------------------------------------------------------------------------

    def order(self, card: "Card", cents: int, *, slot: int = 1, programme: int = 1) -> int:
        """An approved load order, by id."""
        with self.work.begin() as unit:
            row = LoadOrderRow(
                purse_id=unit.cards.purse(card.purse).id, slot=slot, programme_id=programme,
                funding_source_id=1, award_id=programme, delta_cents=cents, state="approved",
                requested_by="ada", approved_by="bea", approved_at=START,
            )  # fmt: skip
            unit.add(row)
            unit.commit()
            return row.id

    def order_state(self, order: int) -> str:
        with self.work.begin() as unit:
            return unit.cards.order(order).state

    def balance(self, kind: AccountKind, programme: int = 1) -> int:
        """Cents of a kind of account of a programme, over all purses."""
        with self.work.begin() as unit:
            balances = unit.ledger.balances()
        return sum(
            cents
            for account, cents in balances.items()
            if account.kind is kind and account.programme == programme
        )

    def slot_money(self, card: "Card", slot: int = 1) -> int:
        """What the books say a slot can still spend."""
        with self.work.begin() as unit:
            accounts = unit.ledger.present_accounts(unit.cards.purse(card.purse).id, slot)
        return sum(cents for _, cents in accounts)

    def alarms(self) -> list[str]:
        with self.work.begin() as unit:
            return [alarm.code for alarm in unit.verdicts.alarms()]

    def tell_otherwise(self, record: Spend) -> None:
        """The till's journal is in, and holds something else where a record should stand."""
        with self.work.begin() as unit:
            unit.add(
                EntryRow(
                    terminal=record.terminal, seq=record.seq, hash=bytes(32), type=8,
                    complete=b"", wall_ms=self.clock.unix_ms(), received_at=self.clock.now_s,
                    verdict="accepted",
                )
            )  # fmt: skip
            unit.commit()

    def cases(self) -> list[str]:
        with self.work.begin() as unit:
            return [case.code for case in unit.verdicts.cases()]

    def signed(self) -> list[tuple[int, str]]:
        """Number and state of every grant ever signed."""
        with self.work.begin() as unit:
            return [(grant.grant_seq, grant.state) for grant in unit.cards.grants()]

    def session_outcomes(self, card: "Card") -> list[tuple[str, str | None]]:
        with self.work.begin() as unit:
            rows = unit.cards.sessions_of(unit.cards.purse(card.purse).id)
            return [(row.state, row.outcome) for row in rows]

    def check_books(self) -> None:
        """Conservation: every pot holds what was funded, no account is overdrawn."""
        with self.work.begin() as unit:
            check_programmes(unit.ledger.balances())


@dataclass
class Card:
    """A virtual card of the town, seen from outside and from inside."""

    memory: Memory
    card: VirtualCard
    town: Town

    @property
    def line(self) -> InProcessConnection:
        """A fresh connection; the card is powered."""
        line = InProcessConnection(self.card)
        line.reset()
        return line

    def copy(self, town: Town) -> "Card":
        """The same card in a twin of its town."""
        memory = image.decode(image.encode(self.memory))
        return Card(memory, VirtualCard(memory, SeededRandomness("copy")), town)

    @property
    def serial(self) -> str:
        return self.memory.serial

    @property
    def info(self) -> Info:
        return Info.decode(self._file(1).content)

    @property
    def pin(self) -> str:
        """What the citizen knows."""
        purse = self.memory.find((0x1200, 0xB001))
        assert purse is not None
        return purse.pins[0x1C].value.rstrip(b"\xff").decode()

    @property
    def purse(self) -> PurseId:
        return PurseId(self.info.issuer, self.info.purse)

    @property
    def keys(self) -> PurseKeys:
        return PurseKeys.derive(self.town.keys.masters(ISSUER, self.info.key_set), self.info)

    @property
    def key_objects(self) -> dict[int, bytes]:
        purse = self.memory.find((0x1200, 0xB001))
        assert purse is not None
        return {KeyId(number): key for number, key in purse.keys.items()}

    @property
    def grants(self) -> dict[int, SignedGrant]:
        """Readable grants by record number."""
        opened = enumerate(
            (records.open_grant(self.keys.debit.record, item) for item in self._file(2).records), 1
        )
        return {number: signed for number, signed in opened if signed is not None}

    @property
    def spend(self) -> Spend:
        spend = records.open_spend(self.keys.debit.record, self._file(3).records[0])
        assert spend is not None
        return spend

    def wallet(self, slot: int = 1) -> int | None:
        """Cents a till would show for a slot: the highest number wins."""
        held = [item.grant for item in self.grants.values() if item.grant.slot == slot]
        if not held:
            return None
        live = max(held, key=lambda grant: grant.grant_seq)
        return live.granted_total - self.spend.spent[slot - 1]

    def debit(self, cents: int, *, slot: int = 1, void: bool = False, terminal: int = TILL) -> None:
        """A record that a shop's keys wrote, whatever the till meant by it."""
        file, before = self._file(3), self.spend
        spent = list(before.spent)
        spent[slot - 1] += cents
        s1, s2, s3, s4, s5, s6 = spent
        after = Spend(
            SpendType.VOID if void else SpendType.SALE, before.ctr + 1,
            bytes((before.ctr + 1,)) * 8, (s1, s2, s3, s4, s5, s6), terminal, before.ctr + 1,
            START, 0, record_hash(file.records[0])[:4],
        )  # fmt: skip
        sealed = records.seal_spend(self.keys.debit.record, after)
        file.records = [sealed, *file.records[:-1]]

    def put_grant(self, number: int, record: bytes) -> None:
        """Writes a grant record as somebody with the load keys could."""
        self._file(2).records[number - 1] = record

    def grant_record(self, number: int) -> bytes:
        return self._file(2).records[number - 1]

    def roll_back_spend(self) -> None:
        """Puts EF.SPEND back by one record."""
        file = self._file(3)
        file.records = [*file.records[1:], bytes(54)]

    def _file(self, sfi: int) -> ElementaryFile:
        purse = self.memory.find((0x1200, 0xB001))
        assert purse is not None
        file = purse.file_by_sfi(sfi)
        assert file is not None
        return file


class KilledError(Exception):
    """The backend process died."""


class DyingWork(DatabaseWork):
    """The backend is killed at its ``n``-th commit: before it, or just after it."""

    def __init__(self, work: DatabaseWork, n: int, *, after: bool) -> None:
        super().__init__(work._engine)
        self._left, self._after = n, after

    def begin(self) -> "object":  # type: ignore[override]
        inner = super().begin()
        dying = self

        class Dying:
            def __enter__(self) -> Unit:
                unit = inner.__enter__()
                commit = unit.commit

                def dies() -> None:
                    dying._left -= 1
                    if dying._left == 0 and not dying._after:
                        raise KilledError
                    commit()
                    if dying._left == 0:
                        raise KilledError

                unit.commit = dies  # type: ignore[method-assign]
                return unit

            def __exit__(self, *error: object) -> object:
                return inner.__exit__(*error)  # type: ignore[arg-type]

        return Dying()


@dataclass
class RestartingUplink:
    """A station that repeats a step after the backend died under it, and came up again."""

    dying: CardSessions
    restarted: CardSessions
    terminal: int = DESK
    deaths: int = 0

    def open(self, opening: SessionOpening) -> SessionCommands:
        return self._twice(lambda backend: backend.open(self.terminal, opening))

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        return self._twice(lambda backend: backend.step(self.terminal, session, answers))

    def _twice(self, ask: Callable[[CardSessions], SessionCommands]) -> SessionCommands:
        if self.deaths:
            return ask(self.restarted)
        try:
            return ask(self.dying)
        except KilledError:
            self.deaths += 1
            return ask(self.restarted)


def _programme(number: int) -> ProgrammeRow:
    return ProgrammeRow(
        municipality_id=1, number=number, name=f"Programme {number}", categories=15,
        valid_from=date(2026, 1, 1), valid_to=date(2027, 12, 31), day_limit_eur=50,
    )  # fmt: skip


def station_key(terminal: int) -> SigningKey:
    """The key that signs a station's requests."""
    return SigningKey(terminal.to_bytes(32, "big"))


def _terminal(number: int) -> TerminalRow:
    return TerminalRow(
        number=number, merchant_id=1, public_key=bytes(station_key(number).public),
        certificate=b"",
        training=False, enrolled_at=START, high_hash=bytes(32),
    )  # fmt: skip


def _award(programme: int) -> AwardRow:
    return AwardRow(
        programme_id=programme, funding_source_id=1, holder="H1", cents=FUNDED, act="DGC 1/2026",
        requested_by="ada", approved_by="bea", approved_at=START,
    )  # fmt: skip


def _funding(programme: int) -> list[Transfer]:
    def account(kind: AccountKind) -> Account:
        return Account(kind=kind, municipality=1, programme=programme, funding_source=1)

    def move(kind: TransferKind, source: AccountKind, target: AccountKind) -> Transfer:
        return Transfer(
            kind=kind, source=account(source), target=account(target), money=Money(FUNDED),
            event_time=START, ref=Ref(RefKind.FUNDING, str(programme)),
        )  # fmt: skip

    return [
        move(TransferKind.FUNDING, AccountKind.EXTERNAL, AccountKind.FUND),
        move(TransferKind.AWARD, AccountKind.FUND, AccountKind.COMMITTED),
    ]
