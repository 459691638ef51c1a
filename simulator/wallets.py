"""What a purse is worth, as whoever has its keys reads it from the card's memory."""

from dataclasses import dataclass
from datetime import date

from cardlib.codec.files import EF_GRANT, EF_SPEND
from cardlib.codec.purse import ZERO_TOTALS, Grant, Spend, day_date
from cardlib.keys import records
from cardlib.wire.money import Money
from simulator.card.filesystem import Directory


@dataclass(frozen=True, slots=True)
class Wallet:
    """One slot with a grant; its signature is not looked at."""

    slot: int
    programme: int
    granted: Money
    spent: Money
    valid_to: date

    @property
    def balance(self) -> Money:
        """Granted less spent."""
        return self.granted - self.spent


def newest_spend(purse: Directory, record_key: bytes) -> Spend | None:
    """The newest record that is not torn."""
    opened = (records.open_spend(record_key, record) for record in _records(purse, EF_SPEND.fid))
    return next((spend for spend in opened if spend is not None), None)


def wallets(purse: Directory, record_key: bytes) -> list[Wallet]:
    """The purse's wallets by slot; of two grants of a slot, the one with the higher number."""
    newest = newest_spend(purse, record_key)
    spent = newest.spent if newest else ZERO_TOTALS
    live: dict[int, Grant] = {}
    for record in _records(purse, EF_GRANT.fid):
        signed = records.open_grant(record_key, record)
        if signed is None or not 1 <= signed.grant.slot <= len(spent):
            continue
        grant = signed.grant
        if grant.slot not in live or grant.grant_seq > live[grant.slot].grant_seq:
            live[grant.slot] = grant
    return [_wallet(live[slot], spent[slot - 1]) for slot in sorted(live)]


def _wallet(grant: Grant, spent: int) -> Wallet:
    return Wallet(
        grant.slot,
        grant.programme,
        Money(grant.granted_total),
        Money(spent),
        day_date(grant.valid_to),
    )


def _records(purse: Directory, fid: int) -> list[bytes]:
    file = purse.file(fid)
    return file.records if file else []
