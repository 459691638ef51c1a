"""What an applet chip knows of its own purse: records in clear, live grants, its rules.

The chip holds K_REC (id 01) and seals records at rest itself (``sealed_records``), so
EF.SPEND and EF.GRANT read as on the file card. It cannot check the issuer's signature of a
grant: what reaches EF.GRANT came under K_LC, which only the municipality has.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from cardlib.codec.applet import AppletState, DebitOrder
from cardlib.codec.files import EF_GRANT, EF_SPEND, KeyId
from cardlib.codec.purse import (
    EMPTY_GRANT,
    GRANT_CLEAR_SIZE,
    SLOTS,
    U24_MAX,
    Grant,
    Spend,
    SpendType,
    Suite,
    Totals,
)
from cardlib.codec.status import Status
from cardlib.errors import MalformedError
from simulator.card.filesystem import Directory, ElementaryFile
from simulator.card.purse_profile import info_of
from simulator.card.refusal import Refusal
from simulator.card.sealed_records import open_grant, open_spend, seal_spend


@dataclass(frozen=True, slots=True)
class AppletPurse:
    """An applet's purse directory, its key K_REC and the two newest records in clear."""

    directory: Directory
    key: bytes
    newest: Spend
    before: Spend | None

    @classmethod
    def of(cls, directory: Directory) -> "AppletPurse":
        """Refuses with 6985 where there is no purse with a valid newest record."""
        key, file = directory.keys.get(KeyId.RECORD), directory.file(EF_SPEND.fid)
        newest = None if key is None or file is None else open_spend(key, file.records[0])
        if key is None or file is None or newest is None:
            raise Refusal(Status.CONDITIONS)
        return cls(directory, key, newest, open_spend(key, file.records[1]))

    @property
    def spend_file(self) -> ElementaryFile:
        """EF.SPEND."""
        return _file(self.directory, EF_SPEND.fid)

    @property
    def grants(self) -> dict[int, Grant]:
        """The grant with the highest number, by slot."""
        live: dict[int, Grant] = {}
        for record in _file(self.directory, EF_GRANT.fid).records:
            grant = _grant_in(self.key, record)
            if grant is not None and 1 <= grant.slot <= SLOTS:
                known = live.get(grant.slot)
                if known is None or known.grant_seq < grant.grant_seq:
                    live[grant.slot] = grant
        return live

    @property
    def state(self) -> AppletState:
        """What INITIALISE tells."""
        return AppletState(
            self.newest, {slot: grant.grant_seq for slot, grant in self.grants.items()}
        )

    def record_after(self, order: DebitOrder) -> bytes:
        """The record that ``order`` makes; 6988 when a total or the counter cannot be.

        There is no MAC over a record that cannot be. Another status word would tell whoever
        asks without keys how large the totals are.
        """
        sign = -1 if order.type is SpendType.VOID else 1
        totals = list(self.newest.spent)
        for slot, cents in order.cents.items():
            totals[slot - 1] += sign * cents
        if self.newest.ctr == U24_MAX or not all(0 <= total <= U24_MAX for total in totals):
            raise Refusal(Status.SM_OBJECT_WRONG)
        s1, s2, s3, s4, s5, s6 = totals
        spend = replace(
            self.newest, type=order.type, ctr=self.newest.ctr + 1, intent_hash=order.intent_hash,
            spent=(s1, s2, s3, s4, s5, s6), terminal=order.terminal, seq=order.seq,
            time=order.time, day_spent=order.day_spent,
            prev=sha256(self.spend_file.records[0]).digest()[:4],
        )  # fmt: skip
        return seal_spend(self.key, spend)

    def check(self, order: DebitOrder) -> None:
        """6A80 for a debit against the chip's own rules."""
        if not order.terminal or not all(order.cents.values()):
            raise Refusal(Status.WRONG_DATA)
        allowed = self._may_void(order) if order.type is SpendType.VOID else self._may_pay(order)
        if not allowed:
            raise Refusal(Status.WRONG_DATA)

    def check_grant(self, record: bytes) -> None:
        """6A80 for what is no grant under K_REC, or one whose total is already spent."""
        if record == EMPTY_GRANT:
            return
        grant = _grant_in(self.key, record)
        if grant is None or not 1 <= grant.slot <= SLOTS:
            raise Refusal(Status.WRONG_DATA)
        if grant.granted_total < self.newest.spent[grant.slot - 1]:
            raise Refusal(Status.WRONG_DATA)

    def _may_pay(self, order: DebitOrder) -> bool:
        grants, spent = self.grants, self.newest.spent
        return all(
            slot in grants and spent[slot - 1] + cents <= grants[slot].granted_total
            for slot, cents in order.cents.items()
        )

    def _may_void(self, order: DebitOrder) -> bool:
        """The newest sale only, by its terminal, no more than it took, not across a load."""
        sale, grants = self.newest, self.grants
        if sale.type is not SpendType.SALE or sale.terminal != order.terminal:
            return False
        taken = _taken(sale.spent, self.before)
        return all(
            cents <= taken[slot - 1] and slot in grants and sale.ctr > grants[slot].base_ctr
            for slot, cents in order.cents.items()
        )


def can_start(directory: Directory) -> bool:
    """Whether an applet could live with this purse: suite 1, and an init record of its own.

    A chip without AES could not seal records at rest.
    """
    info = info_of(directory)
    try:
        newest = AppletPurse.of(directory).newest
    except Refusal:
        return False
    return newest.type is SpendType.INIT and info is not None and info.suite == Suite.AES_128


def _grant_in(key: bytes, record: bytes) -> Grant | None:
    """The fields of a grant; None when the record is empty or not sealed under ``key``."""
    clear = open_grant(key, record)
    try:
        return None if clear is None else Grant.decode(clear[:GRANT_CLEAR_SIZE])
    except MalformedError:
        return None


def _taken(spent: Totals, before: Spend | None) -> list[int]:
    """Cents by slot that the newest record took; nothing when what it followed is not there."""
    if before is None:
        return [0] * SLOTS
    return [now - then for now, then in zip(spent, before.spent, strict=True)]


def _file(directory: Directory, fid: int) -> ElementaryFile:
    file = directory.file(fid)
    if file is None:
        raise Refusal(Status.CONDITIONS)
    return file
