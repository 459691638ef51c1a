"""A shop in memory: an issuer, an operator, tills with real modules and journals, virtual cards.

Cards are personalised directly (``simulator.card.purses``), their records sealed with
``cardlib.keys``; everything a test touches afterwards is the real code.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from cardlib.codec.files import EF_GRANT, EF_SPEND, KeyId
from cardlib.codec.pin import Pin
from cardlib.codec.purse import (
    FLAG_ATTESTATION,
    FLAG_PIN_ENFORCED,
    ZERO_TOTALS,
    Grant,
    Info,
    Spend,
    SpendType,
    Totals,
    day_number,
)
from cardlib.connection import CardConnection
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.grants import sign_grant
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.keys.module import SecurityModule
from cardlib.keys.soft_module import SoftModule
from cardlib.trace import Exchange
from cardlib.wire.bundle import Bundle, Category, IssuerKey, Limits, Programme
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import Certificate, DebitMaster, ModuleKeys
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.ids import PurseId, TerminalNumber
from cardlib.wire.money import Money
from simulator.card.card import VirtualCard
from simulator.card.filesystem import ElementaryFile
from simulator.card.masks import (
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    WHITE_APPLET,
    WHITE_LEGACY,
    make_card,
)
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from terminal.counter import Counter
from terminal.journal.derived import IntentState
from terminal.journal.journal import Author, Journal
from terminal.journal.space import Disk, Space
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import Step
from terminal.storage import Storage
from terminal.system_storage import SYSTEM
from terminal.till import Till
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys

ISSUER = bytes.fromhex("018153")
PIN, PUK = "12345", "12345678"
FOOD, HYGIENE, MEDICINE = 0, 1, 2
START = int(datetime(2026, 9, 21, 10, 0, tzinfo=UTC).timestamp())
TODAY = date(2026, 9, 21)
KEY_SET = 1
ORACLE_KEY = bytes([0x0D]) * 16
"""What legacy chips answer INTERNAL AUTHENTICATE with: a till cannot check it."""


class StageClock:
    """Time that only moves when told."""

    def __init__(self, unix_s: int = START) -> None:
        self._unix_ms = unix_s * 1000
        self._monotonic_ms = 5_000
        self._boot = 1

    @property
    def boot_id(self) -> bytes:
        return self._boot.to_bytes(8, "big")

    def unix_ms(self) -> int:
        return self._unix_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def sleep(self, seconds: float) -> None:
        self._unix_ms += int(seconds * 1000)
        self._monotonic_ms += int(seconds * 1000)

    def reboot(self) -> None:
        """Monotonic time starts anew."""
        self._boot += 1
        self._monotonic_ms = 1_000

    def turn(self, seconds: int) -> None:
        """Somebody turns the wall clock."""
        self._unix_ms += seconds * 1000


@dataclass(frozen=True)
class WalletSpec:
    """A wallet to be put on a card; money in cents, days as dates."""

    slot: int = 1
    granted: int = 100_00
    categories: Iterable[int] = (FOOD,)
    valid_from: date = date(2026, 1, 1)
    valid_to: date = date(2026, 12, 31)
    day_limit_eur: int = 0
    grant_seq: int = 1
    base_spent: int = 0
    base_ctr: int = 0
    record: int = 0
    issuer_key: int = 1
    flags: int = 0
    programme: int = 12

    def grant(self) -> Grant:
        mask = sum(1 << bit for bit in self.categories)
        return Grant(
            slot=self.slot, grant_seq=self.grant_seq, programme=self.programme, categories=mask,
            valid_from=day_number(self.valid_from), valid_to=day_number(self.valid_to),
            granted_total=self.granted, base_spent=self.base_spent, base_ctr=self.base_ctr,
            flags=self.flags, day_limit_eur=self.day_limit_eur, issuer_key=self.issuer_key,
        )  # fmt: skip


@dataclass
class StageCard:
    """A virtual card with one purse, and what the issuer knows of it."""

    card: VirtualCard
    info: Info
    keys: PurseKeys
    start: Totals

    @property
    def purse(self) -> PurseId:
        return PurseId(self.info.issuer, self.info.purse)

    def plug(self) -> InProcessConnection:
        """Puts the card into a reader."""
        self.card.power_off()
        self.card.power_on()
        return InProcessConnection(self.card)

    @property
    def spend_file(self) -> ElementaryFile:
        file = self.card.memory.find((0x1200, 0xB001))
        assert file is not None
        return next(item for item in file.files if item.spec.fid == EF_SPEND.fid)

    def load(self, stage: "Stage", wallet: WalletSpec) -> None:
        """A new grant in record 1, over the old one, as a finished load leaves it."""
        signed = sign_grant(stage.issuer_key, self.info.core, wallet.grant())
        directory = self.card.memory.find((0x1200, 0xB001))
        assert directory is not None
        file = next(item for item in directory.files if item.spec.fid == EF_GRANT.fid)
        file.records[0] = records.seal_grant(self.keys.debit.record, signed)

    def newest(self) -> Spend:
        """The newest record that is not torn, as the issuer reads it."""
        for record in self.spend_file.records:
            spend = records.open_spend(self.keys.debit.record, bytes(record))
            if spend is not None:
                return spend
        raise AssertionError("no valid record")


@dataclass
class Stage:
    """The town's keys, one clock, and a folder for tills."""

    folder: Path
    clock: StageClock = field(default_factory=StageClock)
    randomness: SeededRandomness = field(default_factory=lambda: SeededRandomness("stage"))
    operator: SigningKey = field(default_factory=lambda: SigningKey(bytes([7]) * 32))
    issuer_key: SigningKey = field(default_factory=lambda: SigningKey(bytes([9]) * 32))
    masters: IssuerMasters = field(
        default_factory=lambda: IssuerMasters(*(bytes([n]) * 32 for n in (1, 2, 3, 4)))
    )
    storage: Storage = SYSTEM
    bundle: Bundle = field(init=False)
    open_tills: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.bundle = Bundle(
            version=1, issued_at=START, parameters=3, limits=Limits(), hotlist_version=17,
            watermark_version=5,
            issuer_keys=(IssuerKey(ISSUER, 1, self.issuer_key.public),),
            programmes=(Programme(ISSUER, 12, "Buono spesa"),),
            categories=(
                Category(FOOD, "alimentari", "food"), Category(HYGIENE, "igiene", "hygiene"),
                Category(MEDICINE, "farmaci", "medicines"),
            ),
        )  # fmt: skip

    # cards -----------------------------------------------------------------------------

    def card(
        self,
        *wallets: WalletSpec,
        number: int = 1,
        newest: Spend | None = None,
        expiry: date = date(2030, 12, 31),
        flags: int = FLAG_PIN_ENFORCED | FLAG_ATTESTATION,
        record_map: int | None = None,
        grants: dict[int, bytes] | None = None,
        mask: str = WHITE,
        suite: int = 1,
    ) -> StageCard:
        """A white card with one purse; without wallets given, 100 EUR for food in slot 1."""
        wallets = wallets or (WalletSpec(),)
        info = Info(
            purse=bytes([0xA0 + number]) * 8, issuer=ISSUER, suite=suite, flags=flags,
            key_set=KEY_SET, expiry=day_number(expiry),
        )  # fmt: skip
        keys = PurseKeys.derive(self.masters, info)
        sealed = {
            wallet.record or at: records.seal_grant(
                keys.debit.record, sign_grant(self.issuer_key, info.core, wallet.grant())
            )
            for at, wallet in enumerate(wallets, 1)
        } | (grants or {})
        live = sum(1 << (record - 1) for record in sealed)
        info = replace(info, record_map=live if record_map is None else record_map)
        memory = make_card(
            mask, SeededRandomness(f"card {number}"), Holder(), TRAINING_TRANSPORT_KEYS
        )
        first = newest or blank_spend()
        add_purse(
            memory, info=bytes(info), keys=card_keys(keys, mask), pin=PIN, puk=PUK,
            spends=[records.seal_spend(keys.debit.record, first)], grants=sealed,
        )  # fmt: skip
        card = VirtualCard(memory, SeededRandomness(f"chip {number}"))
        return StageCard(card, info, keys, first.spent)

    # tills -----------------------------------------------------------------------------

    def till(
        self, terminal: int = 502, *, disk: Disk | None = None, name: str | None = None,
        module: SecurityModule | None = None,
    ) -> Till:  # fmt: skip
        """An enrolled till, open to sell; opened again it is the same one."""
        directory = self.folder / (name or f"till-{terminal}")
        self.storage.make_directory(directory)
        seed = bytes([terminal & 0xFF]) * 32
        keys = TillKeys(
            seed, bytes(32), bytes([5]) * 32, self.operator.public,
            ModuleKeys((DebitMaster(ISSUER, KEY_SET, self.masters.debit),)),
        )  # fmt: skip
        certificate = Certificate(
            terminal=TerminalNumber(terminal), public_key=keys.signing.public, merchant=31,
            merchant_name="Alimentari Rossi", operator="Comune di Prova", issued_at=START - 86_400,
        )  # fmt: skip
        complete = certificate.sign(self.operator)
        files = TillFiles(directory, self.storage)
        self.storage.write(files.certificate, complete)
        self.storage.write(files.bundle, self.bundle.sign(self.operator))
        module = module or SoftModule(keys.ring, self.randomness)
        author = Author(certificate.terminal, module, self.clock, sha256(complete).digest())
        till = Till(
            files, TillConfig("http://127.0.0.1:1", cashier="2"), keys, certificate,
            self.operator.public, module, self.clock, self.randomness, author,
        )  # fmt: skip
        till.refresh()
        space = Space(
            files.ballast, self.randomness, disk, storage=self.storage,
            ballast_bytes=256 * 1024, headroom_bytes=0,
        )  # fmt: skip
        till.take_journal(Journal.open(files.journal, keys.journal, author, space, self.storage))
        self.open_tills.callback(till.close)
        return till

    def install(self, **changes: object) -> None:
        """A newer bundle for tills that are opened or refreshed from now on."""
        self.bundle = replace(self.bundle, version=self.bundle.version + 1, **changes)  # type: ignore[arg-type]


def blank_spend() -> Spend:
    """The init record of a fresh purse."""
    return Spend(
        SpendType.INIT, 0, bytes([0x11]) * 8, ZERO_TOTALS, 0, 0, 1_780_000_000, 0, bytes(4)
    )


def following(before: bytes, spend: Spend) -> Spend:
    """``spend`` chained to the record ``before``."""
    return replace(spend, prev=record_hash(before)[:PREV_SIZE])


def card_keys(keys: PurseKeys, mask: str = WHITE) -> dict[int, bytes]:
    """Keys by their id on a card of the mask."""
    order = (
        keys.debit.command, keys.debit.response, keys.attest, keys.load_command,
        keys.load_response, keys.admin_command, keys.admin_response, keys.admin_encipher,
    )  # fmt: skip
    named = dict(enumerate(order, 2))
    if mask == WHITE_APPLET:
        named[KeyId.RECORD] = keys.debit.record
    if mask == WHITE_LEGACY:
        named[KeyId.ORACLE] = ORACLE_KEY
        del named[KeyId.ATTEST]
    return named


def assert_books(card: StageCard, *tills: Till) -> None:
    """Card totals = start + sales in the journals, the unsettled ones either way (law 1)."""
    sure, unsure = list(card.start), []
    for till in tills:
        for stored in till.journal.views.entries():
            entry = stored.decode()
            if not isinstance(entry.body, Intent) or entry.body.info_core != card.info.core:
                continue
            moved = [0] * 6
            for line in entry.body.lines:
                moved[line.slot - 1] += (
                    -line.cents if entry.body.plan.type is SpendType.VOID else line.cents
                )
            state = till.journal.views.intent_state(entry.header.seq)
            if state is IntentState.COMMITTED:
                sure = [one + other for one, other in zip(sure, moved, strict=True)]
            elif state in (IntentState.OPEN, IntentState.UNRESOLVED):
                unsure.append(moved)
        assert till.journal.check().good
    possible = [sure]
    for moved in unsure:
        possible += [[a + b for a, b in zip(sums, moved, strict=True)] for sums in possible]
    assert list(card.newest().spent) in possible


def committed(till: Till) -> list[Committed]:
    """The journal's sales, recovered ones and voids."""
    bodies = (stored.decode().body for stored in till.journal.views.entries())
    return [body for body in bodies if isinstance(body, Committed)]


@dataclass
class Customer:
    """A till, a card in its reader, and the trace of what they said."""

    till: Till
    connection: CardConnection
    trace: list[Exchange] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counter = Counter(self.till)
        self.card = self.counter.card(self.connection, self.trace.append)

    def session(self) -> SaleSession:
        return self.counter.sale(self.card, self.steps.append)

    def buy(self, cents: int, category: int = FOOD, pin: str = PIN) -> SaleResult:
        """A whole sale as the cashier drives it; the card stays in the reader."""
        sale = self.session()
        sale.read()
        sale.basket([Item(category, Money(cents))])
        sale.agree(Pin(pin))
        result = sale.commit()
        if result.goods_are_due:
            sale.finish()
        return result


def codes(till: Till) -> list[str]:
    """The journal in words: intent, sale, declined CODE …"""
    found = []
    for stored in till.journal.views.entries():
        body = stored.decode().body
        code = getattr(body, "code", "")
        found.append(f"{body.type.name.lower()} {code}".strip())
    return found
