"""What a restored copy has forgotten, and signed evidence brings back (docs/adr/0020).

A grant is known again by the issuer's own signature, where one approved order fits it
exactly, or a run of them that one visit loaded; a purse by its INFO core and keys, as an empty
row of which a person is told.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.states import GrantState, OrderState, PurseState
from backend.errors import KeyStoreError
from backend.services.alarms import raise_alarm
from backend.services.recovery.office import GRANTS_SKIPPED
from backend.services.wallets import grants
from cardlib.codec.purse import Grant, Info
from cardlib.errors import AuthenticityError
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.wire.ed25519 import PublicKey


def adopt_purse(unit: Unit, info: Info, now: int) -> PurseRow | None:
    """A purse that was made after the copy; None unless a recovery is open and it is ours.

    No money is on it: its orders have to be found and approved again.
    """
    town = unit.programmes.find_municipality(info.issuer)
    if town is None or unit.recoveries.open() is None:
        return None
    row = PurseRow(
        municipality_id=town.id, number=info.purse, info_core=info.core, state=PurseState.ACTIVE,
        created_at=now, grant_seq_high=GRANTS_SKIPPED,
    )  # fmt: skip
    unit.add(row)
    raise_alarm(unit, "PURSE_FORGOTTEN", f"purse {row.id}", now, purse=row)
    return row


def adopt_forgotten(
    unit: Unit, keys: KeyStore, purse: PurseRow, genuine: Iterable[SignedGrant], now: int, *,
    by: str,
) -> list[CardGrantRow]:  # fmt: skip
    """Takes grants up again that a restored copy has forgotten; those that were.

    ``genuine``: grants whose signature for this purse **the caller has checked**, as ``by``
    (``session:ID`` or ``entry:T:S``) tells. Each needs a number of those that were skipped, and
    an approved order of exactly its amount, or orders in a row whose sum it is.
    """
    if not may_have_forgotten(unit):
        return []
    adopted = (
        _adopt(unit, keys, purse, signed, now, by)
        for signed in sorted(genuine, key=lambda item: item.grant.grant_seq)
    )
    return [row for row in adopted if row is not None]


def may_have_forgotten(unit: Unit) -> bool:
    """Whether an older copy was ever put back: then a grant of our own may be unknown."""
    return unit.recoveries.newest() is not None


def adopt_seen(
    unit: Unit, keys: KeyStore, purse: PurseRow, digests: Iterable[bytes], now: int
) -> list[bytes]:
    """The same for grants under which a till has sold, by the SHA-256 of their 91 bytes.

    Those of ``digests`` that stay unknown; nothing where no copy was ever put back.
    """
    if not may_have_forgotten(unit):
        return []
    seen = [row for row in map(unit.verdicts.grant_seen, digests) if row is not None]
    unknown = [row for row in seen if row.grant_id is None]
    for row in sorted(unknown, key=lambda item: SignedGrant.decode(item.grant).grant.grant_seq):
        signed = SignedGrant.decode(row.grant)
        genuine = [signed] if _is_genuine(unit, purse, signed) else []
        by = f"entry:{row.terminal}:{row.seq}"
        for adopted in adopt_forgotten(unit, keys, purse, genuine, now, by=by):
            row.grant_id = adopted.id
    return [row.hash for row in seen if row.grant_id is None]


def _adopt(
    unit: Unit, keys: KeyStore, purse: PurseRow, signed: SignedGrant, now: int, by: str
) -> CardGrantRow | None:
    grant = signed.grant
    known = unit.cards.grants_of(purse.id)
    numbers = {row.grant_seq for row in known}
    if grant.grant_seq in numbers or grant.grant_seq > purse.grant_seq_high:
        return None
    before = _wallet_before(known, grant)
    orders = _orders_of(unit, purse, grant, before)
    if len(orders) > 1:
        earlier = _signed_anew(keys, purse, grant, before, numbers, orders)
        for order, one in zip(orders[:-1], earlier, strict=True):
            row = _record(unit, purse, order, one, before, now)
            grants.confirm(unit, row, by=by, now=now)  # the later one carries its money
            before = one.grant
        orders = orders[-1:] if earlier else []
    return _record(unit, purse, orders[0], signed, before, now) if orders else None


def _record(
    unit: Unit, purse: PurseRow, order: LoadOrderRow, signed: SignedGrant, before: Grant | None,
    now: int,
) -> CardGrantRow:  # fmt: skip
    grant = signed.grant
    row = CardGrantRow(
        order_id=order.id, purse_id=purse.id, slot=grant.slot, grant_seq=grant.grant_seq,
        record=0, info_core=purse.info_core, grant=bytes(grant), signature=signed.signature,
        left_cents=0, state=GrantState.LOADING, signed_at=now,
    )  # fmt: skip
    if before is not None:
        order.carried_over_cents = before.granted_total - grant.base_spent
    grants.record_signed(unit, row, now)
    unit.flush()
    return row


def _wallet_before(known: Iterable[CardGrantRow], grant: Grant) -> Grant | None:
    """The grant that this one replaced on the card, as far as the books know."""
    earlier = [
        Grant.decode(row.grant)
        for row in known
        if row.slot == grant.slot and row.state != GrantState.VOID
        and row.grant_seq < grant.grant_seq
    ]  # fmt: skip
    return max(earlier, key=lambda item: item.grant_seq, default=None)


def _orders_of(
    unit: Unit, purse: PurseRow, grant: Grant, before: Grant | None
) -> list[LoadOrderRow]:
    """The approved orders that this grant fulfils, oldest first; none where nobody can tell.

    That is the oldest of exactly its amount; else the only run of several, one after the other,
    whose sum it is: they were loaded in one visit, and each replaced the one before.
    """
    if before is not None and before.programme != grant.programme:
        return []  # what was left of the other wallet is nowhere signed
    wanted = grant.granted_total - (grant.base_spent if before is None else before.granted_total)
    orders = [
        order
        for order in unit.cards.orders_of(purse.id, OrderState.APPROVED)
        if (order.slot, order.programme.number) == (grant.slot, grant.programme)
    ]
    single = next((order for order in orders if order.delta_cents == wanted), None)
    if single is not None:
        return [single]
    if purse.card_mark < grant.base_ctr:
        return []  # a sale that nobody has told of yet may name the grant in between
    runs = [orders[first:last] for first, last in combinations(range(len(orders) + 1), 2)]
    fitting = [run for run in runs if sum(order.delta_cents for order in run) == wanted]
    funds = {order.funding_source_id for run in fitting for order in run}
    return fitting[0] if len(fitting) == 1 and len(funds) == 1 else []


def _signed_anew(
    keys: KeyStore, purse: PurseRow, grant: Grant, before: Grant | None,
    numbers: Collection[int], orders: Sequence[LoadOrderRow],
) -> list[SignedGrant]:  # fmt: skip
    """The grants of all ``orders`` but the last, which ``grant`` has replaced on the card.

    The same content gives the same signature: nothing was sold in between, so what is signed
    here was signed before. None where other numbers may lie between these, or without the key.
    """
    first = grant.grant_seq - len(orders) + 1
    copied = purse.grant_seq_high - GRANTS_SKIPPED
    below = [number for number in (*numbers, copied) if number < grant.grant_seq]
    if first != max(below, default=0) + 1:
        return []
    try:
        key = keys.grant_key(purse.municipality.issuer, grant.issuer_key)
    except KeyStoreError:
        return []
    total = grant.base_spent if before is None else before.granted_total
    signed: list[SignedGrant] = []
    for number, order in enumerate(orders[:-1], start=first):
        total += order.delta_cents
        one = replace(grant, grant_seq=number, granted_total=total)
        signed.append(sign_grant(key, purse.info_core, one))
    return signed


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
