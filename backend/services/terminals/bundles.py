"""The signed bundle: what a till needs to judge a card offline. Versioned by content.

Watermarks move at nearly every upload, and the whole bundle is signed: tills are told of a
new one at once when the hotlist or a proof request changed, otherwise after a bounded time
(docs/adr/0021).
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.terminals import BundleRow
from backend.adapters.unit_of_work import Unit
from cardlib.wire import cbor
from cardlib.wire.bundle import (
    Bundle,
    Category,
    Decided,
    IssuerKey,
    KeySet,
    Limits,
    Programme,
    ProofRequest,
    Watermark,
)
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry import INTENT_HASH_SIZE
from cardlib.wire.ids import PurseId, Seq, TerminalNumber

LIMITS = Limits(sale_cents=0, offline_days_warn=5, offline_days_stop=10)
"""Until a town sets its own."""
CARD_LIMITS = replace(LIMITS, offline_days_warn=10, offline_days_stop=20)
"""Of tills whose security module is a card: what they can do offline is bounded by the card."""
STOP_DAYS = max(LIMITS.offline_days_stop, CARD_LIMITS.offline_days_stop)
"""After so many days without the backend no till sells any more."""
PARAMETERS = 1
"""Version of the limits and categories."""
LAG_S = 300
"""How long a new watermark may wait for the next bundle."""
Places = tuple[tuple[int, int], ...]
Shown = tuple[tuple[int, ...], Places, tuple[tuple[int, int, bytes, bytes], ...]]
"""What goes out at once: counts of what is set up, the proofs that tills are asked for, and the
outcomes that they are told."""


class LastLook:
    """When a process last compared everything, and what it knew then. Memory, never the truth.

    One an installation. A look whose transaction is not committed has not been.
    """

    def __init__(self) -> None:
        self._look: tuple[int, Shown | None] = 0, None

    def read(self) -> tuple[int, Shown | None]:
        """The second of the last look, and what went out with it; nothing before the first."""
        return self._look

    def keep(self, unit: Unit, now: int, shown: Shown) -> None:
        """Notes a look of ``unit`` once that is durable."""

        def note() -> None:
            self._look = now, shown

        unit.after_commit(note)

    def forget(self) -> None:
        """As a process that ends does."""
        self._look = 0, None


def current_version(unit: Unit, keys: KeyStore, last: LastLook, now: int) -> int:
    """The version that tills should have; publishes one when it is due."""
    newest, shown = unit.terminals.newest_issue(), _shown(unit)
    looked_at, known = last.read()
    if newest is not None and known == shown and 0 <= now - looked_at < LAG_S:
        version, hotlist_hash = newest
        if hotlist_hash == _hash_of(unit.cards.hotlisted()):
            return version
    last.keep(unit, now, shown)
    return publish_bundle(unit, keys, now).version


def _shown(unit: Unit) -> Shown:
    wanted = ((request.purse_id, request.ctr) for request in unit.verdicts.proof_requests())
    return unit.programmes.shown(), tuple(wanted), tuple(unit.verdicts.decided_intents())


def current_bundle(unit: Unit, keys: KeyStore, last: LastLook, now: int) -> BundleRow:
    """The bundle of :func:`current_version`."""
    current_version(unit, keys, last, now)
    newest = unit.terminals.newest_bundle()
    assert newest is not None
    return newest


def publish_bundle(unit: Unit, keys: KeyStore, now: int, *, least_version: int = 0) -> BundleRow:
    """The newest bundle; a new version when anything in it changed since the last one.

    ``least_version``: below it no version of bundle, hotlist or watermarks is used any more.
    """
    draft = _draft(unit)
    newest = unit.terminals.newest_bundle()
    hotlist_hash, watermark_hash = _hash_of(draft.hotlist), _hash_of_marks(draft)
    if newest is None:
        draft = replace(draft, hotlist_version=1, watermark_version=1)
    else:
        draft = replace(
            draft,
            hotlist_version=max(
                newest.hotlist_version + (newest.hotlist_hash != hotlist_hash), least_version
            ),
            watermark_version=max(
                newest.watermark_version + (newest.watermark_hash != watermark_hash),
                least_version,
            ),
        )
    operator = keys.operator_key()
    content_hash = sha256(draft.sign(operator)).digest()
    if newest is not None and newest.content_hash == content_hash:
        return newest
    version = max(newest.version + 1 if newest else 1, least_version)
    complete = replace(draft, version=version, issued_at=now).sign(operator)
    row = BundleRow(
        version=version, content_hash=content_hash, complete=complete, issued_at=now,
        hotlist_version=draft.hotlist_version, hotlist_hash=hotlist_hash,
        watermark_version=draft.watermark_version, watermark_hash=watermark_hash,
    )  # fmt: skip
    unit.add(row)
    return row


def _draft(unit: Unit) -> Bundle:
    """Everything but version and time."""
    issuers = {town.id: town.issuer for town in unit.programmes.municipalities()}
    announced = unit.key_sets.all()
    least = unit.cards.least_live_grants()
    return Bundle(
        version=0,
        issued_at=0,
        parameters=PARAMETERS,
        limits=LIMITS,
        card_limits=CARD_LIMITS,
        hotlist_version=0,
        watermark_version=0,
        issuer_keys=tuple(
            IssuerKey(municipality.issuer, key.key_id, PublicKey(key.public_key))
            for municipality, key in unit.programmes.issuer_keys()
        ),
        programmes=tuple(
            Programme(row.municipality.issuer, row.number, row.name)
            for row in unit.programmes.programmes()
        ),
        categories=tuple(
            Category(row.bit, row.name_it, row.name_en) for row in unit.programmes.categories()
        ),
        hotlist=tuple(unit.cards.hotlisted()),
        watermarks=tuple(
            Watermark(purse, ctr, record_hash[:4], least.get(row_id, 0))
            for row_id, purse, ctr, record_hash in unit.cards.proven_states()
        ),
        proof_requests=tuple(
            ProofRequest(purse, ctr) for purse, ctr in unit.verdicts.records_to_prove()
        ),
        decided=tuple(
            Decided(TerminalNumber(terminal), Seq(seq), digest[:INTENT_HASH_SIZE], record)
            for terminal, seq, digest, record in unit.verdicts.decided_intents()
        ),
        key_sets=tuple(KeySet(issuers[row.municipality_id], row.number) for row in announced),
    )


def _hash_of(hotlist: Iterable[PurseId]) -> bytes:
    rows: list[Value] = [[purse.issuer, purse.number] for purse in hotlist]
    return sha256(cbor.encode(rows)).digest()


def _hash_of_marks(bundle: Bundle) -> bytes:
    rows: list[Value] = [
        [mark.purse.issuer, mark.purse.number, mark.ctr, mark.record_hash, mark.least_grant_seq]
        for mark in bundle.watermarks
    ]
    return sha256(cbor.encode(rows)).digest()
