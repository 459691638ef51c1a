"""A till's journal as bytes, made with the product's own wire formats."""

from dataclasses import dataclass, field

from cardlib.codec.purse import Info, Spend, SpendType
from cardlib.keys.grants import SignedGrant
from cardlib.keys.intent_rule import record_hash
from cardlib.keys.records import seal_spend
from cardlib.wire import sign1
from cardlib.wire.batch_close import BatchClose, Count
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import Certificate
from cardlib.wire.entry import Entry, decode_entry, encode_payload
from cardlib.wire.entry_body import (
    Body,
    Committed,
    GrantSeen,
    Heartbeat,
    How,
    Intent,
    Line,
    Plan,
    Shown,
)
from cardlib.wire.entry_header import EntryType, Header, ModuleClass
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead

RECORD_KEY = bytes(range(16))
MORNING = 1_790_000_000


@dataclass
class CardState:
    """One purse as its card would hold it: totals, counter, newest record."""

    info: Info
    ctr: int = 0
    totals: list[int] = field(default_factory=lambda: [0] * 6)
    record: bytes = b""

    def __post_init__(self) -> None:
        first = Spend(SpendType.INIT, 0, bytes(8), (0,) * 6, 0, 0, MORNING, 0, bytes(4))
        self.record = self.record or seal_spend(RECORD_KEY, first)


@dataclass
class Journal:
    """The journal of one terminal; entries are chained and signed as they are added."""

    number: int
    key: SigningKey
    certificate: bytes
    entries: list[Entry] = field(default_factory=list)
    batch: int = 1
    hotlist: int = 0
    """The version that the till has."""

    @classmethod
    def enrolled(cls, number: int, merchant: int, operator: SigningKey) -> "Journal":
        key = SigningKey(bytes([number % 256]) * 32)
        certificate = Certificate(
            terminal=TerminalNumber(number), public_key=key.public, merchant=merchant,
            merchant_name=f"Shop {merchant}", operator="Operator", issued_at=MORNING - 1000,
        )  # fmt: skip
        return cls(number, key, certificate.sign(operator))

    def add(self, body: Body) -> Entry:
        """Signs the next entry."""
        seq = len(self.entries) + 1
        prev = self.entries[-1].hash if self.entries else record_hash(self.certificate)
        header = Header(
            terminal=TerminalNumber(self.number), seq=Seq(seq), prev_hash=prev,
            wall_ms=(MORNING + seq) * 1000, monotonic_ms=seq * 1000, boot_id=bytes(8),
            clock_flags=0, software="1.0.0", parameters=1, hotlist=self.hotlist, watermark=0,
            module_class=ModuleClass.SOFT, batch=self.batch, cashier="1",
        )  # fmt: skip
        complete = sign1.sign(self.key, encode_payload(header, body), sign1.ENTRY_AAD)
        self.entries.append(decode_entry(complete))
        return self.entries[-1]

    def close(self, ledger: LedgerHead | None) -> Entry:
        """The day's Z over what was sold since the last one."""
        first = max((e.header.seq for e in self.entries if e.body.type == EntryType.BATCH_CLOSE),
                    default=0) + 1  # fmt: skip
        sums = {SpendType.SALE: [0, 0], SpendType.VOID: [0, 0]}
        for entry in self.entries[first - 1 :]:
            if isinstance(entry.body, Intent):
                kind = sums[entry.body.plan.type]
                kind[0] += 1
                kind[1] += sum(line.cents for line in entry.body.lines)
        made = self.add(
            BatchClose(
                first=Seq(first), last=Seq(len(self.entries)), sales=Count(*sums[SpendType.SALE]),
                voids=Count(*sums[SpendType.VOID]), waiting=0, unsettled=0, ledger=ledger,
            )
        )  # fmt: skip
        self.batch += 1
        return made

    def heartbeat(self) -> Entry:
        """A sign of life."""
        return self.add(Heartbeat(server_time=MORNING, nonce=7))

    def saw(self, grant: SignedGrant) -> Entry:
        """The till saw a grant."""
        return self.add(GrantSeen(grant=bytes(grant)))

    def sale(
        self, card: CardState, grant: SignedGrant, cents: int, *, voided: int | None = None,
        tc: bool = True,
    ) -> Entry:  # fmt: skip
        """Intent and sale (or void, for ``voided``) in the grant's slot; the card moves on."""
        kind = SpendType.SALE if voided is None else SpendType.VOID
        slot, before = grant.grant.slot, card.totals[grant.grant.slot - 1]
        after = before + cents if voided is None else before - cents
        card.totals[slot - 1] = after
        s1, s2, s3, s4, s5, s6 = card.totals
        time = MORNING + len(self.entries)
        prev = record_hash(card.record)[:4]
        plan = Plan(card.ctr + 1, (s1, s2, s3, s4, s5, s6), time, 0, prev, kind)
        held = grant.grant.granted_total
        intent = self.add(
            Intent(
                info_core=card.info.core, newest_record=card.record, newest_index=1, plan=plan,
                lines=(Line(slot, grant.grant.grant_seq, 0, cents),),
                grant_hashes=(grant.hash,), other_cents=0,
                shown=(Shown(slot, held - before, held - after),), pin_asked=True,
                voided=None if voided is None else Seq(voided),
            )
        )  # fmt: skip
        card.ctr += 1
        card.record = seal_spend(
            RECORD_KEY,
            Spend(
                kind, card.ctr, intent.hash[:8], plan.totals, self.number, intent.header.seq,
                time, 0, prev,
            ),
        )  # fmt: skip
        return self.add(
            Committed(
                type=EntryType.SALE if voided is None else EntryType.VOID,
                intent_seq=intent.header.seq, intent_hash=intent.hash, record=card.record,
                random=bytes(8), tc=bytes(range(8)) if tc else None, index=1, how=How.DIRECT,
                receipt=len(self.entries),
            )
        )  # fmt: skip
