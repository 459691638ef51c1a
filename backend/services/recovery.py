"""After the database was put back from an older copy: what must wait, and what comes back.

Tills upload again what the copy does not know; until they all have, the books are too old
to sign a load or a payment on. Numbers that may have been given out since the copy was made
are not given out again. A grant that the copy has forgotten is known again by the issuer's
own signature, where one approved order fits it exactly (docs/adr/0020).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.tables.recovery import RecoveryRow
from backend.adapters.unit_of_work import Unit
from backend.errors import ConflictError
from backend.services import grants
from backend.services.administration.programmes import check_two_people
from backend.services.bundles import publish_bundle
from backend.services.unit_of_work import Work
from cardlib.codec.purse import U24_MAX, Grant
from cardlib.errors import AuthenticityError
from cardlib.keys.grants import SignedGrant
from cardlib.ports import Clock
from cardlib.wire.ed25519 import PublicKey

GRANTS_SKIPPED = 10_000
"""Grant numbers of each purse: nobody loads one card so often between two copies."""
TERMINALS_SKIPPED = 1_000
"""Terminal numbers."""
YEAR_2020 = 1_577_836_800
"""Versions of bundles go on from the seconds since then: there was never one a second."""


@dataclass(frozen=True, slots=True)
class RecoveryOffice:
    """The use cases."""

    work: Work
    keys: KeyStore
    clock: Clock

    def begin(self, by: str) -> int:
        """Declares that an older copy was put back; the recovery's id.

        ConflictError ``RECOVERY_OPEN``. To be done before terminals reach the service.
        """
        now = self._now()
        with self.work.begin() as unit:
            if unit.recoveries.open() is not None:
                raise ConflictError("RECOVERY_OPEN")
            row = RecoveryRow(
                begun_at=now, begun_by=by,
                terminals_above=unit.terminals.next_number() - 1 + TERMINALS_SKIPPED,
            )  # fmt: skip
            unit.add(row)
            for purse in unit.cards.purses():
                purse.grant_seq_high = min(purse.grant_seq_high + GRANTS_SKIPPED, U24_MAX)
            publish_bundle(unit, self.keys, now, least_version=now - YEAR_2020)
            unit.commit()
            return row.id

    def waiting(self) -> list[int]:
        """Terminals that have not uploaded everything again; ConflictError ``RECOVERY_NONE``."""
        with self.work.begin() as unit:
            return _waiting(unit, _open(unit))

    def end(
        self, *, requested_by: str, approved_by: str, act: str, without: Collection[int] = ()
    ) -> None:
        """Loads and payments go on. The two have compared payments with the bank's statements.

        ConflictError ``RECOVERY_WAITS`` for terminals that are neither here nor in
        ``without``; NotPermittedError ``SAME_PERSON``; ConflictError ``RECOVERY_NONE``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = _open(unit)
            missing = _waiting(unit, row)
            if not set(missing) <= set(without):
                listed = ", ".join(str(number) for number in missing if number not in without)
                raise ConflictError("RECOVERY_WAITS", terminals=listed)
            row.ended_at, row.act = self._now(), act
            row.requested_by, row.approved_by = requested_by, approved_by
            row.without = ",".join(map(str, missing))
            unit.commit()

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def require_whole(unit: Unit) -> None:
    """ConflictError ``BACKEND_IN_RECOVERY`` while the books may be older than what was signed."""
    if unit.recoveries.open() is not None:
        raise ConflictError("BACKEND_IN_RECOVERY")


def next_terminal(unit: Unit) -> int:
    """The number of the next enrolment, above any that a restored copy has forgotten."""
    newest = unit.recoveries.newest()
    above = 0 if newest is None else newest.terminals_above
    return max(unit.terminals.next_number(), above + 1)


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


def _open(unit: Unit) -> RecoveryRow:
    row = unit.recoveries.open()
    if row is None:
        raise ConflictError("RECOVERY_NONE")
    return row


def _waiting(unit: Unit, row: RecoveryRow) -> list[int]:
    """Active terminals without a contiguous journal up to something newer than the recovery."""
    return [
        terminal.number
        for terminal in unit.terminals.all()
        if terminal.state == "active" and terminal.mark < row.begun_at
    ]
