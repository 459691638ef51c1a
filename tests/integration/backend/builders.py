"""A town with real keys and a real database, and tills that make real entries.

No card answers here: :class:`Chip` keeps what a chip would hold, with the real keys, so
that tests can also make what no honest card and no honest till would.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256

from sqlalchemy import Engine

from backend.adapters.key_store import MemoryKeyStore
from backend.adapters.tables.cards import CardGrantRow, PurseRow
from backend.adapters.unit_of_work import DatabaseWork, Unit
from backend.services.administration.load_orders import LoadOrderOffice
from backend.services.administration.merchants import MerchantOffice
from backend.services.administration.programmes import NewProgramme, ProgrammeOffice
from backend.services.ingest.batches import Ingest
from backend.services.terminals.bundles import LastLook
from backend.services.terminals.enrolment import Enrolment
from backend.services.unit_of_work import Work
from backend.services.verdicts.card_records import learn_attested
from backend.services.verdicts.judgement import judge_purse
from backend.services.wallets import grants
from backend.services.wallets.present import given_up
from backend.services.wallets.replacements import fit_to_source
from cardlib.calendar import day_at
from cardlib.codec.purse import (
    DAY_SPENT_MORE,
    ZERO_TOTALS,
    Grant,
    Info,
    Spend,
    SpendType,
    Suite,
    day_number,
)
from cardlib.keys import attestation, records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.intent_rule import planned_spend, record_hash, totals_after
from cardlib.keys.suites import suite_of
from cardlib.wire import sign1
from cardlib.wire.batch_close import BatchClose, Count
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer, EnrolmentRequest
from cardlib.wire.entry import decode_entry, encode_payload
from cardlib.wire.entry_body import (
    AttestedRead,
    Body,
    Committed,
    Heartbeat,
    How,
    Intent,
    Line,
    NotApplied,
    NotAppliedCode,
    Plan,
    Proof,
    Shown,
    Unresolved,
)
from cardlib.wire.entry_header import EntryType, Header, ModuleClass
from cardlib.wire.ids import PurseId, Seq
from cardlib.wire.money import Money
from cardlib.wire.upload import Acknowledgement, Batch

ISSUER = "015146"
START = 1_790_000_000
IBAN = "IT60X0542811101000000123456"
LOADER, APPROVER = "Lina", "Aldo"


class SeededRandomness:
    """Repeatable bytes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


@dataclass
class ManualClock:
    """Stands still unless moved."""

    seconds: int = START

    boot_id = bytes(8)

    def unix_ms(self) -> int:
        return self.seconds * 1000

    def monotonic_ms(self) -> int:
        return (self.seconds - START) * 1000

    def sleep(self, seconds: float) -> None:
        self.seconds += int(seconds)


@dataclass
class Chip:
    """What one purse holds: grants by slot, records newest first."""

    info: Info
    keys: PurseKeys
    randomness: SeededRandomness
    records: list[bytes] = field(default_factory=list)
    grants: dict[int, SignedGrant] = field(default_factory=dict)
    oracle: bytes | None = None
    """Key of a legacy chip's certificates."""

    @property
    def purse(self) -> PurseId:
        return PurseId(self.info.issuer, self.info.purse)

    @property
    def newest(self) -> Spend:
        return self.clear(self.records[0])

    def clear(self, record: bytes) -> Spend:
        spend = records.open_spend(self.keys.debit.record, record)
        assert spend is not None
        return spend

    def write(self, record: bytes) -> None:
        self.records.insert(0, record)

    def balance(self, slot: int = 1) -> int:
        return self.grants[slot].grant.granted_total - self.newest.spent[slot - 1]

    def attest(self, index: int = 1) -> AttestedRead:
        record, rnd = self.records[index - 1], self.randomness.bytes(8)
        tc = attestation.certificate(self.keys.attest, self.info, index, record, rnd)
        if self.oracle is not None:
            covered = attestation.oracle_digest(rnd, record) + bytes.fromhex("0088000D80000000")
            tc = suite_of(self.info.suite).mac(self.oracle, covered)
        return AttestedRead(index, record, rnd, tc)

    def twin(self) -> "Chip":
        """The same card as another till saw it: the man in the middle's copy."""
        return replace(self, records=list(self.records), grants=dict(self.grants))


class Till:
    """A terminal that keeps its own journal and can say whatever a test wants."""

    def __init__(self, town: "Town", merchant: int, seed: int, *, training: bool = False) -> None:
        self.town, self.merchant = town, merchant
        self.key = SigningKey(SeededRandomness(seed).bytes(32))
        service = town.enrolment
        code = service.issue_code(merchant, self.key.public.fingerprint, training=training)
        request = EnrolmentRequest(code, self.key.public, SigningKey(bytes(32)).public.raw)
        answer = EnrolmentAnswer.decode(service.enrol(request.sign(self.key)))
        certificate = Certificate.open(answer.certificate, answer.operator_key)
        self.number = certificate.terminal
        self.head = sha256(answer.certificate).digest()
        self.journal: list[bytes] = []
        self.sent = 0
        self.batch, self.closed = 1, 0
        """The open batch, and how many entries the ones before it have."""

    # --- entries --------------------------------------------------------------------------

    def write(self, body: Body, **header: object) -> bytes:
        complete = self.entry(body, **header)
        self.journal.append(complete)
        self.head = sha256(complete).digest()
        return complete

    def entry(self, body: Body, **changes: object) -> bytes:
        header = Header(
            terminal=self.number, seq=Seq(len(self.journal) + 1), prev_hash=self.head,
            wall_ms=self.town.clock.unix_ms(), monotonic_ms=0, boot_id=bytes(8), clock_flags=0,
            software="test", parameters=1, hotlist=1, watermark=1,
            module_class=ModuleClass.SOFT, batch=self.batch, cashier="1",
        )  # fmt: skip
        header = replace(header, **changes)  # type: ignore[arg-type]
        return sign1.sign(self.key, encode_payload(header, body), sign1.ENTRY_AAD)

    def intent(self, chip: Chip, cents: int, *, slot: int = 1, category: int = 0,
               voided: Seq | None = None, newest: bytes | None = None) -> Intent:  # fmt: skip
        newest_record = newest if newest is not None else chip.records[0]
        before = chip.clear(newest_record)
        kind = SpendType.SALE if voided is None else SpendType.VOID
        grant = chip.grants[slot]
        lines = (Line(slot, grant.grant.grant_seq, category, cents),)
        totals = totals_after(before.spent, lines, kind)
        now = self.town.clock.seconds
        today = before.day_spent if day_at(before.time) >= day_at(now) else 0
        today += cents if kind is SpendType.SALE else -cents
        plan = Plan(
            before.ctr + 1, tuple(totals), now, min(max(today, 0), DAY_SPENT_MORE),  # type: ignore[arg-type]
            record_hash(newest_record)[:4], kind,
        )  # fmt: skip
        return Intent(
            info_core=chip.info.core, newest_record=newest_record, newest_index=1, plan=plan,
            lines=lines, grant_hashes=(grant.hash,), other_cents=0,
            shown=(Shown(slot, 0, 0),), pin_asked=True, voided=voided,
        )  # fmt: skip

    def record(self, chip: Chip, complete: bytes) -> bytes:
        entry = decode_entry(complete)
        assert isinstance(entry.body, Intent)
        return records.seal_spend(chip.keys.debit.record, planned_spend(entry, entry.body))

    def begin(self, chip: Chip, cents: int, **options: object) -> Seq:
        """An intent, durable; the card is not touched."""
        self.write(self.intent(chip, cents, **options))  # type: ignore[arg-type]
        return Seq(len(self.journal))

    def debit(self, chip: Chip, seq: Seq) -> bytes:
        """The card writes the record of intent ``seq``."""
        record = self.record(chip, self.journal[seq - 1])
        chip.write(record)
        return record

    def commit(self, chip: Chip, seq: Seq, *, tc: bool = True, kind: EntryType = EntryType.SALE,
               index: int = 1, how: How = How.DIRECT) -> bytes:  # fmt: skip
        read = chip.attest(index)
        return self.write(
            Committed(
                type=kind, intent_seq=seq, intent_hash=sha256(self.journal[seq - 1]).digest(),
                record=self.record(chip, self.journal[seq - 1]), random=read.random,
                tc=read.tc if tc else None, index=index, how=how, receipt=seq,
            )
        )  # fmt: skip

    def sell(self, chip: Chip, cents: int, *, tc: bool = True, slot: int = 1) -> Seq:
        """A whole sale; the number of its sale entry."""
        seq = self.begin(chip, cents, slot=slot)
        self.debit(chip, seq)
        self.commit(chip, seq, tc=tc)
        return Seq(len(self.journal))

    def void(self, chip: Chip, sale_entry: Seq, cents: int, *, tc: bool = True) -> Seq:
        seq = self.begin(chip, cents, voided=Seq(sale_entry - 1))
        self.debit(chip, seq)
        self.commit(chip, seq, tc=tc, kind=EntryType.VOID)
        return Seq(len(self.journal))

    def not_applied(self, chip: Chip, seq: Seq) -> bytes:
        body = NotApplied(intent_seq=seq, code=NotAppliedCode.READ, newest_record=chip.records[0])
        return self.write(body)

    def unresolved(self, seq: Seq) -> bytes:
        return self.write(Unresolved(intent_seq=seq, code="PARKED"))

    def prove(self, chip: Chip, *indexes: int) -> bytes:
        reads = tuple(chip.attest(index) for index in indexes)
        return self.write(Proof(info_core=chip.info.core, reads=reads))

    def close_day(self) -> None:
        """The day's close: what follows belongs to the next batch."""
        entries = [decode_entry(complete) for complete in self.journal[self.closed :]]
        intents = {item.header.seq: item.body for item in entries if isinstance(item.body, Intent)}
        sums = {kind: [0, 0] for kind in (SpendType.SALE, SpendType.VOID)}
        for item in entries:
            if isinstance(item.body, Committed):
                intent = intents[item.body.intent_seq]
                sums[intent.plan.type][0] += 1
                sums[intent.plan.type][1] += sum(line.cents for line in intent.lines)
        self.write(
            BatchClose(
                first=Seq(self.closed + 1), last=Seq(len(self.journal)),
                sales=Count(*sums[SpendType.SALE]), voids=Count(*sums[SpendType.VOID]),
                waiting=0, unsettled=0,
            )
        )  # fmt: skip
        self.batch, self.closed = self.batch + 1, len(self.journal)

    def heartbeat(self) -> bytes:
        return self.write(Heartbeat(server_time=self.town.clock.seconds, nonce=1))

    # --- uploads --------------------------------------------------------------------------

    def sync(self) -> Acknowledgement:
        """Uploads what was not sent yet."""
        entries, self.sent = self.journal[self.sent :], len(self.journal)
        return self.upload(*entries)

    def upload(self, *entries: bytes) -> Acknowledgement:
        complete = self.town.ingest.submit(Batch(self.number, entries), self.number)
        return Acknowledgement.open(complete, self.town.keys.operator_key().public)


class Town:
    """A municipality with one programme, two shops and money to give."""

    def __init__(self, engine: Engine, seed: int = 1) -> None:
        self.work: Work = DatabaseWork(engine)
        self.randomness = SeededRandomness(seed)
        self.clock = ManualClock()
        self.keys = MemoryKeyStore(self.randomness)
        self.last_look = LastLook()
        self.office = ProgrammeOffice(self.work, self.keys, self.clock)
        self.loads = LoadOrderOffice(self.work, self.keys, self.clock)
        self.merchants = MerchantOffice(self.work, self.clock)
        self.valid_to, self.day_limit_eur = 0xFFFF, 0
        self.office.set_up("Consorzio")
        self.municipality = self.office.create_municipality(ISSUER, "Borgo")
        self.office.name_category(0, "alimentari", "food")
        self.programme = self.office.create_programme(
            ISSUER,
            NewProgramme(1, "Buoni spesa", (0, 1), date(2026, 1, 1), date(2026, 12, 31)),
        )
        self.office.fund(self.programme, "Stato", Money(1_000_000), act="DGC 1", by=LOADER)
        self.shop = self.new_shop("Bottega Rossi")
        self.other_shop = self.new_shop("Alimentari Verdi")

    @property
    def ingest(self) -> Ingest:
        return Ingest(self.work, self.keys, self.clock, self.randomness, self.last_look)

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(self.work, self.keys, self.clock, self.randomness)

    def new_shop(self, name: str) -> int:
        shop = self.merchants.register(name, IBAN)
        self.merchants.enable(shop, self.programme)
        return shop

    def till(self, merchant: int | None = None, **options: bool) -> Till:
        seed = int.from_bytes(self.randomness.bytes(4), "big")
        return Till(self, merchant if merchant is not None else self.shop, seed, **options)

    def new_chip(self, *, attests: bool = True) -> Chip:
        """A personalised purse, its init record attested; or one on a chip that cannot."""
        info = Info(
            purse=self.randomness.bytes(8), issuer=bytes.fromhex(ISSUER), suite=Suite.AES_128,
            flags=0xC0 if attests else 0x80, key_set=1, expiry=day_number(date(2030, 12, 31)),
        )  # fmt: skip
        keys = PurseKeys.derive(self.keys.masters(info.issuer, 1), info)
        chip = Chip(info, keys, self.randomness)
        init = Spend(
            SpendType.INIT, 0, self.randomness.bytes(8), ZERO_TOTALS, 0, 0,
            self.clock.seconds, 0, bytes(4),
        )  # fmt: skip
        chip.write(records.seal_spend(keys.debit.record, init))
        with self.work.begin() as unit:
            row = PurseRow(
                municipality_id=self.municipality, number=info.purse, info_core=info.core,
                created_at=self.clock.seconds,
            )  # fmt: skip
            unit.add(row)
            if attests:
                learn_attested(
                    unit, row, chip.attest(), init, "card_session", "made", self.clock.seconds
                )
            judge_purse(unit, row, self.clock.seconds)
            unit.commit()
        return chip

    def order(self, chip: Chip, cents: int) -> int:
        award = self.office.award(
            self.programme, "Stato", "family 1", Money(cents), act="DD 1",
            requested_by=LOADER, approved_by=APPROVER,
        )  # fmt: skip
        return self.loads.approve(
            award, chip.purse, Money(cents), requested_by=LOADER, approved_by=APPROVER
        )

    def sign(self, chip: Chip, order_id: int) -> CardGrantRow:
        """Signs the order's grant as a card session would, which keeps what it reads first."""
        with self.work.begin() as unit:
            purse = self.purse_row(unit, chip)
            if chip.info.attests:
                learn_attested(
                    unit, purse, chip.attest(), chip.newest, "card_session", f"s{order_id}",
                    self.clock.seconds,
                )  # fmt: skip
            for known in unit.cards.grants_of(purse.id):
                if known.state == "loading":
                    grants.confirm(unit, known, by="session:1", now=self.clock.seconds)
            judge_purse(unit, purse, self.clock.seconds)
            unit.commit()
        with self.work.begin() as unit:
            order = unit.cards.order(order_id)
            fit_to_source(unit, order)
            slot = order.slot
            carried = chip.balance(slot) if slot in chip.grants else 0
            carried = max(0, carried - given_up(unit, order.purse, slot))
            spent = chip.newest.spent[slot - 1]
            grant = Grant(
                slot=slot, grant_seq=order.purse.grant_seq_high + 1,
                programme=order.programme.number, categories=order.programme.categories,
                valid_from=0, valid_to=self.valid_to,
                granted_total=spent + carried + order.delta_cents, base_spent=spent,
                base_ctr=chip.newest.ctr, flags=0, day_limit_eur=self.day_limit_eur,
                issuer_key=1,
            )  # fmt: skip
            key = self.keys.grant_key(chip.info.issuer, 1)
            signed = sign_grant(key, chip.info.core, grant)
            order.carried_over_cents = carried
            row = CardGrantRow(
                order_id=order.id, purse_id=order.purse_id, slot=slot,
                grant_seq=grant.grant_seq, record=1, info_core=chip.info.core,
                grant=bytes(grant), signature=signed.signature,
                signed_at=self.clock.seconds,
            )  # fmt: skip
            grants.record_signed(unit, row, self.clock.seconds)
            unit.commit()
        chip.grants[slot] = signed
        return row

    def confirm(self, grant: CardGrantRow) -> None:
        """The card session read the grant back attested."""
        with self.work.begin() as unit:
            (row,) = [
                known for known in unit.cards.grants_of(grant.purse_id)
                if known.grant_seq == grant.grant_seq
            ]  # fmt: skip
            grants.confirm(unit, row, by="session:1", now=self.clock.seconds)
            judge_purse(unit, unit.cards.purse_by_id(row.purse_id), self.clock.seconds)
            unit.commit()

    def load(self, chip: Chip, cents: int) -> None:
        self.confirm(self.sign(chip, self.order(chip, cents)))

    def chip_with(self, cents: int) -> Chip:
        chip = self.new_chip()
        self.load(chip, cents)
        return chip

    def purse_row(self, unit: Unit, chip: Chip) -> PurseRow:
        return unit.cards.purse(chip.purse)
