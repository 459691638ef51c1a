"""What a till knows of a purse after a fresh read: the newest record and the wallets.

Pure rules of PROTOCOL 2 over readings whose answer MACs were good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cardlib.codec.purse import DAY_LIMIT_EUR_MAX, SLOTS, Grant, Info, Spend
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import GrantReading, SpendReading
from cardlib.keys.trust import Trust
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money


@dataclass(frozen=True, slots=True)
class Wallet:
    """The live grant of one slot and what is left of it."""

    signed: SignedGrant
    balance: Money

    @property
    def grant(self) -> Grant:
        """The signed fields."""
        return self.signed.grant

    @property
    def slot(self) -> int:
        """1 to 6."""
        return self.signed.grant.slot


@dataclass(frozen=True, slots=True)
class PurseState:
    """A fresh, authenticated view of a purse.

    ``refused`` holds slots that must not be used, with the code that says why.
    ``complete`` tells whether all eight grant records were read: only then may
    anybody be told that a slot has no wallet.
    """

    info: Info
    directory: int
    newest: SpendReading
    torn_above: int
    wallets: Mapping[int, Wallet]
    refused: Mapping[int, str] = field(default_factory=dict)
    complete: bool = False

    @property
    def purse(self) -> PurseId:
        """Issuer and purse number."""
        return PurseId(self.info.issuer, self.info.purse)

    @property
    def spend(self) -> Spend:
        """The newest valid record in clear."""
        if self.newest.spend is None:  # pragma: no cover - read_purse never builds such a state
            raise PurseRefusedError("PURSE_NO_RECORD")
        return self.newest.spend

    def same_records(self, other: "PurseState") -> bool:
        """Whether the other view shows the same purse in the same state (PROTOCOL 5)."""
        return (
            self.info.core == other.info.core
            and self.newest.record == other.newest.record
            and {slot: bytes(item.signed) for slot, item in self.wallets.items()}
            == {slot: bytes(item.signed) for slot, item in other.wallets.items()}
        )


def genuine_grant(reading: GrantReading, info: Info, trust: Trust) -> SignedGrant | None:
    """The reading's grant when its issuer signed it for this purse, else None."""
    signed = reading.signed
    if signed is None or not 1 <= signed.grant.slot <= SLOTS:
        return None
    key = trust.issuer_key(info.issuer, signed.grant.issuer_key)
    if key is None:
        return None
    try:
        signed.verify(info.core, key)
    except AuthenticityError:
        return None
    return signed


def live_grants(
    grants: Iterable[SignedGrant], least_grant_seq: int
) -> tuple[dict[int, SignedGrant], dict[int, str]]:
    """By slot: the grant with the highest number, and the slots that are refused.

    Two different grants with one number refuse their slot; so do flags that
    this version does not know and a day limit out of range.
    """
    live: dict[int, SignedGrant] = {}
    refused: dict[int, str] = {}
    for signed in sorted(grants, key=lambda item: item.grant.grant_seq):
        slot, rival = signed.grant.slot, live.get(signed.grant.slot)
        if signed.grant.grant_seq < least_grant_seq:
            continue
        if rival is None or signed.grant.grant_seq > rival.grant.grant_seq:
            live[slot] = signed
            refused.pop(slot, None)
            if signed.grant.flags or signed.grant.day_limit_eur > DAY_LIMIT_EUR_MAX:
                refused[slot] = "WALLET_UNKNOWN_RULE"
        elif bytes(signed) != bytes(rival):
            refused[slot] = "GRANT_TWICE"
    return live, refused


def build_state(
    info: Info,
    directory: int,
    spends: list[SpendReading],
    grants: Mapping[int, GrantReading],
    trust: Trust,
    *,
    complete: bool,
) -> PurseState:
    """The state after reading ``spends`` from #1 (last one valid) and ``grants``.

    PurseRefusedError ``PURSE_BELOW_GRANT`` when the records contradict a live
    grant: counter or totals below its base, or spent above granted.
    """
    newest = spends[-1]
    spend = newest.spend
    if spend is None:
        raise PurseRefusedError("PURSE_NO_RECORD")
    genuine = [
        signed
        for reading in grants.values()
        if (signed := genuine_grant(reading, info, trust)) is not None
    ]
    live, refused = live_grants(genuine, trust.least_grant_seq(PurseId(info.issuer, info.purse)))
    for signed in live.values():
        if not agrees(signed.grant, spend):
            raise PurseRefusedError("PURSE_BELOW_GRANT")
    wallets = {
        slot: Wallet(signed, Money(signed.grant.granted_total - spend.spent[slot - 1]))
        for slot, signed in sorted(live.items())
        if slot not in refused
    }
    return PurseState(info, directory, newest, len(spends) - 1, wallets, refused, complete)


def agrees(grant: Grant, spend: Spend) -> bool:
    """Whether the newest record can follow from a grant: counter and total within its bounds.

    A grant that was superseded may not: what the wallet that replaced it has paid since.
    """
    spent = spend.spent[grant.slot - 1]
    return spend.ctr >= grant.base_ctr and grant.base_spent <= spent <= grant.granted_total
