"""What a restored copy has forgotten, and signed evidence brings back (docs/adr/0020).

A grant is known again by the issuer's own signature, where one approved order fits it
exactly; a purse by its INFO core and keys, as an empty row of which a person is told.
"""

from collections.abc import Iterable
from hashlib import sha256

from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.unit_of_work import Unit
from backend.services import grants
from backend.services.alarms import raise_alarm
from backend.services.recovery import GRANTS_SKIPPED
from cardlib.codec.purse import Grant, Info
from cardlib.errors import AuthenticityError
from cardlib.keys.grants import SignedGrant
from cardlib.wire.ed25519 import PublicKey


def adopt_purse(unit: Unit, info: Info, now: int) -> PurseRow | None:
    """A purse that was made after the copy; None unless a recovery is open and it is ours.

    No money is on it: its orders have to be found and approved again.
    """
    town = unit.programmes.find_municipality(info.issuer)
    if town is None or unit.recoveries.open() is None:
        return None
    row = PurseRow(
        municipality_id=town.id, number=info.purse, info_core=info.core, state="active",
        created_at=now, grant_seq_high=GRANTS_SKIPPED,
    )  # fmt: skip
    unit.add(row)
    raise_alarm(unit, "PURSE_FORGOTTEN", f"purse {row.id}", now, purse=row)
    return row


def adopt_forgotten(
    unit: Unit, purse: PurseRow, genuine: Iterable[SignedGrant], now: int
) -> list[CardGrantRow]:
    """Takes grants up again that a restored copy has forgotten; those that were.

    ``genuine``: grants whose signature for this purse **the caller has checked**. Each needs
    a number of those that were skipped, and an approved order of exactly its amount.
    """
    if not may_have_forgotten(unit):
        return []
    adopted = (
        _adopt(unit, purse, signed, now)
        for signed in sorted(genuine, key=lambda item: item.grant.grant_seq)
    )
    return [row for row in adopted if row is not None]


def may_have_forgotten(unit: Unit) -> bool:
    """Whether an older copy was ever put back: then a grant of our own may be unknown."""
    return unit.recoveries.newest() is not None


def adopt_seen(unit: Unit, purse: PurseRow, digests: Iterable[bytes], now: int) -> list[bytes]:
    """The same for grants under which a till has sold, by the SHA-256 of their 91 bytes.

    Those of ``digests`` that stay unknown; nothing where no copy was ever put back.
    """
    if not may_have_forgotten(unit):
        return []
    seen = [row for row in map(unit.verdicts.grant_seen, digests) if row is not None]
    found = {row.hash: SignedGrant.decode(row.grant) for row in seen if row.grant_id is None}
    genuine = [signed for signed in found.values() if _is_genuine(unit, purse, signed)]
    for adopted in adopt_forgotten(unit, purse, genuine, now):
        digest = sha256(adopted.grant + adopted.signature).digest()
        next(row for row in seen if row.hash == digest).grant_id = adopted.id
    return [row.hash for row in seen if row.grant_id is None]


def _adopt(unit: Unit, purse: PurseRow, signed: SignedGrant, now: int) -> CardGrantRow | None:
    grant = signed.grant
    known = unit.cards.grants_of(purse.id)
    numbers = {row.grant_seq for row in known}
    if grant.grant_seq in numbers or grant.grant_seq > purse.grant_seq_high:
        return None
    before = _wallet_before(known, grant)
    order = _order_of(unit, purse, grant, before)
    if order is None:
        return None
    row = CardGrantRow(
        order_id=order.id, purse_id=purse.id, slot=grant.slot, grant_seq=grant.grant_seq,
        record=0, info_core=purse.info_core, grant=bytes(grant), signature=signed.signature,
        state="loading", signed_at=now,
    )  # fmt: skip
    if before is not None:
        order.carried_over_cents = before.granted_total - grant.base_spent
    grants.record_signed(unit, row, now)
    return row


def _wallet_before(known: Iterable[CardGrantRow], grant: Grant) -> Grant | None:
    """The grant that this one replaced on the card, as far as the books know."""
    earlier = [
        Grant.decode(row.grant)
        for row in known
        if row.slot == grant.slot and row.state in {"on_card", "superseded", "loading"}
        and row.grant_seq < grant.grant_seq
    ]  # fmt: skip
    return max(earlier, key=lambda item: item.grant_seq, default=None)


def _order_of(
    unit: Unit, purse: PurseRow, grant: Grant, before: Grant | None
) -> LoadOrderRow | None:
    """The approved order that this grant was signed for: the oldest of exactly its amount."""
    if before is not None and before.programme != grant.programme:
        return None  # what was left of the other wallet is nowhere signed
    held = grant.base_spent if before is None else before.granted_total
    for order in unit.cards.orders_of(purse.id, "approved"):
        same = (order.slot, order.programme.number) == (grant.slot, grant.programme)
        if same and order.delta_cents == grant.granted_total - held:
            return order
    return None


def _is_genuine(unit: Unit, purse: PurseRow, signed: SignedGrant) -> bool:
    for municipality, key in unit.programmes.issuer_keys():
        if (municipality.id, key.key_id) != (purse.municipality_id, signed.grant.issuer_key):
            continue
        try:
            signed.verify(purse.info_core, PublicKey(key.public_key))
        except AuthenticityError:
            return False
        return True
    return False
