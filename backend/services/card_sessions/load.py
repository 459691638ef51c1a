"""The books' side of a load: reads the ledger, signs through the key store, confirms.

A grant is stored before it leaves, and a grant_seq is never signed again with other
content: a session that finds the order signed sends the same bytes.
"""

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.tables.sessions import CardSessionRow
from backend.adapters.unit_of_work import Unit
from backend.domain.load import (
    LoadDecision,
    NewGrant,
    WaitingOrder,
    compare,
    decide,
    view,
)
from backend.domain.load_comparison import check_watermark
from backend.errors import ConflictError
from backend.services.card_sessions.books import IssuerTrust, books_of
from backend.services.card_sessions.desk import Done, claim_purse, serves
from backend.services.card_sessions.plan import StoredPlan
from backend.services.keys.purse_keys import purse_keys
from backend.services.recovery.forgotten import adopt_forgotten, adopt_purse
from backend.services.recovery.office import require_whole
from backend.services.verdicts.card_records import learn_from_session
from backend.services.verdicts.judgement import judge_purse
from backend.services.wallets import grants
from backend.services.wallets.replacements import fit_to_source, is_gone
from cardlib.calendar import day_at
from cardlib.codec.purse import Grant, Info, day_number
from cardlib.dialogues.load import (
    CardState,
    GrantWrite,
    LoadPlan,
    ReadDown,
    load,
)
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import PurseRefusedError
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.module import GrantReading
from cardlib.ports import Randomness
from cardlib.wire.ids import PurseId

WAITING = ("loading", "approved")
LEFT_OVER = "superseded_on_card"

ORDER_DIGITS_MAX = 18
"""More would not fit the database's numbers."""


class LoadDesk:
    """Implements ``cardlib.dialogues.load.LoadAuthority`` on a unit of work.

    Purpose ``load``: the order named by the session's reference, else the oldest that
    waits for the purse. Purpose ``void``: proves that the order's grant cannot reach
    the card any more.
    """

    def __init__(self, unit: Unit, row: CardSessionRow, keys: KeyStore, now: int) -> None:
        self.replaying = True
        self._keys = keys
        self._passed_by = False
        self.move_to(unit, row, now)
        if row.purpose == "void" and self._named is None:
            raise ConflictError("ORDER_UNKNOWN", order="")

    def move_to(self, unit: Unit, row: CardSessionRow, now: int) -> None:
        """Goes on in another transaction: nothing that the old one read is used again."""
        self._unit = unit
        self._row = row
        self._now = now
        self._trust = IssuerTrust(unit)
        self._named = None if not row.reference else self._order_named(row.reference)

    def dialogue(self, randomness: Randomness) -> Dialogue[LoadPlan]:
        """The load; ConflictError ``ORDER_OTHER_PURSE`` when no purse here is the order's."""
        try:
            return (yield from load(self, randomness))
        except PurseRefusedError as refused:
            if refused.code == "PURSE_NOT_SERVED" and self._passed_by:
                raise ConflictError("ORDER_OTHER_PURSE") from refused
            raise

    def keys(self, info: Info) -> PurseKeys | None:
        """Keys of one of our purses; binds the session to it."""
        ours = self._unit.programmes.find_municipality(info.issuer) is not None
        if not ours or not serves(self._unit, self._row, info.issuer):
            return None
        if not info.attests:
            raise ConflictError("PURSE_CANNOT_ATTEST")
        if self._unit.cards.find_purse(PurseId(info.issuer, info.purse)) is None:
            adopt_purse(self._unit, info, self._now)
        purse = self._unit.cards.purse(PurseId(info.issuer, info.purse))
        if self._named is not None and self._named.purse_id != purse.id:
            self._passed_by = True  # another town of ours may be on the same card
            return None
        if not self.replaying:
            if self._unit.key_sets.open_change(purse.id) is not None:
                raise ConflictError("CARD_BEING_RENEWED")
            claim_purse(self._unit, self._row, purse.id, self._now)
        return purse_keys(self._keys, info)

    def decide(self, state: CardState) -> LoadPlan | ReadDown:
        """What was decided before, or a decision, stored before it leaves."""
        stored = StoredPlan.decode(self._row.plan)
        if len(state.spends) < stored.read_down:
            return ReadDown(stored.read_down)
        if stored.plan is not None:
            return stored.plan
        decision = self._decide(state)
        if isinstance(decision, ReadDown):
            self._row.plan = StoredPlan(decision.index, None).encode()
        else:
            self._row.plan = StoredPlan(stored.read_down, decision).encode()
        return decision

    def granted(self, write: GrantWrite) -> None:
        """Loading → on_card: the card was read back."""
        if not self.replaying:
            plan = StoredPlan.decode(self._row.plan).plan
            left_over = plan is not None and bool(plan.clear)
            self._confirm(self._grant_row(write.signed), left_over=left_over)

    def cleared(self, number: int) -> None:
        """Nothing is booked: the wallet that counts was confirmed before."""

    def reread(self, readings: tuple[GrantReading, ...]) -> None:
        """The order is void, since none of the eight records names its grant."""
        if self.replaying:
            return
        row = _loading_grant(self._unit, self._unit.cards.order(self._order_id()))
        if row is None or any(_names(item, row.grant_seq) for item in readings):
            raise ConflictError("ORDER_ARRIVED")
        grants.void(self._unit, row, self._now)

    def finish(self, plan: LoadPlan) -> Done:
        """The session did all it had to; what was left over by earlier ones is gone too."""
        purse = self._purse()
        for order in self._unit.cards.orders_of(purse.id, LEFT_OVER):
            order.state = "on_card"
        if self._row.order_id is None:
            return Done("LOAD_TIDIED" if plan.clear else "LOAD_NOTHING_WAITING", 0)
        order = self._unit.cards.order(self._row.order_id)
        if order.state == "void":
            return Done("LOAD_VOIDED", 0)
        if order.state == "on_card":
            return Done("LOAD_DONE", order.delta_cents)
        return Done("LOAD_AGAIN", 0)

    # Deciding ------------------------------------------------------------------------------

    def _decide(self, state: CardState) -> LoadPlan | ReadDown:
        purse = self._purse()
        check_watermark(state.newest, books_of(self._unit, purse))
        card = view(state, self._trust)
        today = day_number(day_at(self._now))
        by = f"session:{self._row.id}"
        adopt_forgotten(self._unit, self._keys, purse, card.genuine.values(), self._now, by=by)
        order = self._order(purse)
        signed = None if order is None else _signed(self._unit, order)
        if order is not None and signed is not None and card.record_of(signed) is not None:
            self._row.order_id = order.id
            self._confirm(self._grant_row(signed), left_over=bool(card.leftovers))
        books = books_of(self._unit, purse)
        if self._row.purpose == "void":
            compared = compare(card, state, books, today)
            return compared or self._void_plan(state)
        if order is not None and signed is None:
            fit_to_source(self._unit, order)
        waiting = None if order is None else self._waiting(order, signed)
        decision = decide(card, state, books, waiting, today)
        if isinstance(decision, ReadDown):
            return decision
        self._learn(state)
        self._row.order_id = None if order is None else order.id
        return self._plan(decision, order, state.info)

    def _void_plan(self, state: CardState) -> LoadPlan:
        """Kills what is held back, overwrites what tore, and looks at all eight records."""
        order = self._unit.cards.order(self._order_id())
        row = _loading_grant(self._unit, order)
        if row is None:
            raise ConflictError("ORDER_NOT_LOADING", order=order.id)
        self._learn(state)
        self._row.order_id = order.id
        torn = tuple(item.number for item in state.grants if _names(item, row.grant_seq))
        return LoadPlan(None, torn, state.info.record_map, touch_map=True, reread=True)

    def _plan(self, decision: LoadDecision, order: LoadOrderRow | None, info: Info) -> LoadPlan:
        signed = decision.again
        if signed is not None:
            self._grant_row(signed).record = decision.number
        if decision.new is not None and order is not None:
            signed = self._sign(decision.new, decision.number, order, info)
        write = None if signed is None else GrantWrite(decision.number, signed)
        return LoadPlan(write, decision.clear, decision.record_map)

    def _sign(self, new: NewGrant, number: int, order: LoadOrderRow, info: Info) -> SignedGrant:
        require_whole(self._unit)
        key = self._keys.grant_key(info.issuer, new.grant.issuer_key)
        signed = sign_grant(key, info.core, new.grant)
        row = CardGrantRow(
            order_id=order.id, purse_id=order.purse_id, slot=order.slot,
            grant_seq=new.grant.grant_seq, record=number, info_core=info.core,
            grant=bytes(signed.grant), signature=signed.signature, left_cents=new.left,
            state="loading", signed_at=self._now,
        )  # fmt: skip
        order.carried_over_cents = new.carried
        grants.record_signed(self._unit, row, self._now)
        return signed

    def _confirm(self, row: CardGrantRow, *, left_over: bool) -> None:
        grants.confirm(self._unit, row, by=f"session:{self._row.id}", now=self._now)
        spent_since = Grant.decode(row.grant).base_ctr + 1
        judge_purse(self._unit, self._purse(), self._now, changed_ctr=spent_since)
        order = self._unit.cards.order(row.order_id)
        if left_over and order.state == "on_card":
            order.state = LEFT_OVER

    def _learn(self, state: CardState) -> None:
        """Every valid record that the card attested is evidence, now that it was compared.

        Not before: a record written with a leaked shop key would make the books agree.
        """
        purse = self._purse()
        changed = learn_from_session(self._unit, purse, state.spends, self._row.id, self._now)
        judge_purse(self._unit, purse, self._now, changed_ctr=changed)

    # Looking things up ---------------------------------------------------------------------

    def _order(self, purse: PurseRow) -> LoadOrderRow | None:
        """The order of this session: one that was signed comes before one that was not."""
        if self._row.purpose == "void":
            return self._named
        waiting = [
            order for state in WAITING for order in self._unit.cards.orders_of(purse.id, state)
        ]
        if self._named is None:
            return next((order for order in waiting if not is_gone(self._unit, order)), None)
        if self._named.state == "void":
            raise ConflictError("ORDER_VOID", order=self._named.id)
        if waiting and waiting[0].state == "loading":
            return waiting[0]
        return self._named if self._named in waiting else None

    def _waiting(self, order: LoadOrderRow, signed: SignedGrant | None) -> WaitingOrder:
        programme = order.programme
        key = self._unit.programmes.newest_issuer_key(programme.municipality_id)
        return WaitingOrder(
            slot=order.slot, programme=programme.number, funding_source=order.funding_source_id,
            delta=order.delta_cents, carry_over=order.carry_over,
            categories=programme.categories, valid_from=day_number(programme.valid_from),
            valid_to=day_number(programme.valid_to), day_limit_eur=programme.day_limit_eur,
            issuer_key=key.key_id, signed=signed,
        )  # fmt: skip

    def _grant_row(self, signed: SignedGrant) -> CardGrantRow:
        row = self._unit.cards.find_grant_by_bytes(bytes(signed.grant), signed.signature)
        if row is None:
            raise ConflictError("GRANT_UNKNOWN", grant_seq=signed.grant.grant_seq)
        return row

    def _order_named(self, reference: str) -> LoadOrderRow:
        known = reference.isascii() and reference.isdecimal() and len(reference) <= ORDER_DIGITS_MAX
        if not known:
            raise ConflictError("ORDER_UNKNOWN", order=reference[:ORDER_DIGITS_MAX])
        return self._unit.cards.order(int(reference))

    def _order_id(self) -> int:
        named = self._named
        assert named is not None
        return named.id

    def _purse(self) -> PurseRow:
        assert self._row.purse_id is not None
        return self._unit.cards.purse_by_id(self._row.purse_id)


def _loading_grant(unit: Unit, order: LoadOrderRow) -> CardGrantRow | None:
    """The grant of an order that waits to be seen on the card."""
    rows = [row for row in unit.cards.grants_of_order(order.id) if row.state == "loading"]
    return rows[-1] if rows else None


def _signed(unit: Unit, order: LoadOrderRow) -> SignedGrant | None:
    """What was signed for the order already: the same bytes go out again."""
    row = _loading_grant(unit, order)
    return None if row is None else SignedGrant.decode(row.grant + row.signature)


def _names(reading: GrantReading, grant_seq: int) -> bool:
    """Whether a record carries this number in clear, readable or torn."""
    return int.from_bytes(reading.record[1:4], "big") == grant_seq
