"""The books' side of a key-set change: compares, signs wallets anew, posts the init record.

Signing anew is a load of nothing: an order of 0 cents a wallet, approved by the two people
who announced and began the key set, so that every grant keeps its order. The new grants
count when EF.INFO names the new set; until then the books hold the old ones.
"""

from dataclasses import replace

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.tables.key_sets import KeyChangeRow
from backend.adapters.tables.sessions import CardSessionRow
from backend.adapters.unit_of_work import Unit
from backend.domain.key_set_change import (
    ChangingCard,
    check_room,
    compare_changing,
    grant_moves,
    init_record,
    renewed_grant,
    views,
)
from backend.domain.load_comparison import PurseBooks
from backend.errors import ConflictError, UnknownError
from backend.services.card_sessions.books import IssuerTrust, books_of
from backend.services.card_sessions.desk import Done, claim_purse, serves
from backend.services.card_sessions.key_change_plan import StoredChange
from backend.services.keys.purse_keys import purse_keys
from backend.services.recovery.forgotten import adopt_forgotten
from backend.services.recovery.office import require_whole
from backend.services.verdicts.card_records import learn_attested, learn_from_session
from backend.services.verdicts.judgement import judge_purse
from backend.services.wallets import grants
from cardlib.calendar import day_at
from cardlib.codec.purse import GRANT_CLEAR_SIZE, Grant, Info, day_number
from cardlib.dialogues.attested import AttestedSpend
from cardlib.dialogues.changing_purse import ChangingState
from cardlib.dialogues.key_set_change import KeyChange, KeyChangePlan, change_key_set
from cardlib.dialogues.purse_state import Wallet
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import PurseRefusedError
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.ports import Randomness
from cardlib.wire.entry import INTENT_HASH_SIZE
from cardlib.wire.ids import PurseId

APPLET_STOCK = "white-applet"
"""Its chip writes EF.SPEND itself, so there is no init record to write: it is replaced."""


class KeyChangeDesk:
    """Implements ``cardlib.dialogues.key_set_change.KeyChangeAuthority`` on a unit of work."""

    def __init__(
        self, unit: Unit, row: CardSessionRow, keys: KeyStore, now: int, randomness: Randomness
    ) -> None:
        self.replaying = True
        self._keys = keys
        self._randomness = randomness
        self._passed_by = False
        self.move_to(unit, row, now)

    def move_to(self, unit: Unit, row: CardSessionRow, now: int) -> None:
        """Goes on in another transaction: nothing that the old one read is used again."""
        self._unit = unit
        self._row = row
        self._now = now
        self._trust = IssuerTrust(unit)

    def dialogue(self, randomness: Randomness) -> Dialogue[ChangingState]:
        """The change; ConflictError ``KEY_SET_CURRENT`` when no purse here needs one."""
        try:
            return (yield from change_key_set(self, randomness))
        except PurseRefusedError as refused:
            if refused.code == "PURSE_NOT_SERVED" and self._passed_by:
                raise ConflictError("KEY_SET_CURRENT") from refused
            raise

    def change(self, info: Info) -> KeyChange | None:
        """The purse's open change, else the one to its issuer's current key set."""
        town = self._unit.programmes.find_municipality(info.issuer)
        if town is None or not serves(self._unit, self._row, info.issuer):
            return None
        purse = self._unit.cards.purse(PurseId(info.issuer, info.purse))
        if self._row.plan is None and self._needs_change(purse, town.key_set):
            claim_purse(self._unit, self._row, purse.id, self._now)
            self._row.plan = self._found(purse, town.key_set).encode()
        if self._row.plan is None or self._row.purse_id != purse.id:
            self._passed_by = True  # another town of ours may be on the same card
            return None
        stored = self._stored()
        old, new = Info.from_core(stored.old_core), Info.from_core(stored.new_core)
        return KeyChange(
            old, new, purse_keys(self._keys, old), purse_keys(self._keys, new),
            stored.keys_changed, stored.core_changed,
        )  # fmt: skip

    def begin(self, state: ChangingState) -> None:
        """Compares with the ledger, then puts the change on record."""
        stored = self._stored()
        if stored.begun:
            return
        purse, card = self._purse(), views(state, self._trust)
        self._take_up_forgotten(purse, card)
        books = books_of(self._unit, purse)
        compare_changing(card, books, self._today())
        check_room(card, books)
        if self._unit.key_sets.open_change(purse.id) is None:
            self._check_no_load_on_its_way(purse)
            self._unit.add(
                KeyChangeRow(
                    purse_id=purse.id, old_core=stored.old_core, new_core=stored.new_core,
                    begun_at=self._now,
                )
            )  # fmt: skip
        self._learn(state)
        self._row.plan = replace(stored, begun=True).encode()

    def keys_changed(self) -> None:
        """Noted, so that a later session need not change them again."""
        if not self.replaying:
            self._change().keys_changed_at = self._now

    def sign(self, state: ChangingState) -> KeyChangePlan:
        """What was decided before, or a decision, stored before it leaves."""
        stored = self._stored()
        if stored.plan is not None:
            return stored.plan
        plan = self._sign(views(state, self._trust), Info.from_core(stored.new_core))
        self._row.plan = replace(stored, plan=plan).encode()
        return plan

    def core_changed(self) -> None:
        """From now on the new grants are the purse's wallets."""
        if self.replaying:
            return
        purse, change = self._purse(), self._change()
        change.core_changed_at, purse.info_core = self._now, change.new_core
        spent_since = purse.card_mark + 1
        for row in self._unsent_or_sent(purse, change.new_core):
            grants.confirm(self._unit, row, by=f"session:{self._row.id}", now=self._now)
            spent_since = min(spent_since, Grant.decode(row.grant).base_ctr + 1)
        judge_purse(self._unit, purse, self._now, changed_ctr=spent_since)

    def initialised(self, init: AttestedSpend) -> None:
        """Posts the init record (0 cents, attested): the purse sells again."""
        if self.replaying:
            return
        purse = self._purse()
        assert init.spend is not None
        learn_attested(
            self._unit, purse, init.read, init.spend, "card_session", self._row.id, self._now
        )
        judge_purse(self._unit, purse, self._now, changed_ctr=init.spend.ctr)
        self._change().done_at = self._now

    def finish(self, state: ChangingState) -> Done:
        """A change whose init record was there already is done too."""
        change = self._unit.key_sets.open_change(self._purse().id)
        if change is not None:
            self._learn(state)
            change.done_at = self._now
        return Done("KEY_SET_CHANGED", 0)

    # Deciding ------------------------------------------------------------------------------

    def _needs_change(self, purse: PurseRow, key_set: int) -> bool:
        return (
            self._unit.key_sets.open_change(purse.id) is not None
            or Info.from_core(purse.info_core).key_set < key_set
        )

    def _found(self, purse: PurseRow, key_set: int) -> StoredChange:
        """ConflictError ``KEY_CHANGE_NEW_CARD`` for a purse whose chip cannot make it."""
        change = self._unit.key_sets.open_change(purse.id)
        if change is not None:
            return StoredChange(
                change.old_core,
                change.new_core,
                keys_changed=change.keys_changed_at is not None,
                core_changed=change.core_changed_at is not None,
            )
        old = Info.from_core(purse.info_core)
        stock = self._unit.cards.stock_card_of(purse.id)
        if not old.attests or (stock is not None and stock.kind == APPLET_STOCK):
            raise ConflictError("KEY_CHANGE_NEW_CARD")
        new = replace(old, key_set=key_set)
        return StoredChange(old.core, new.core, keys_changed=False, core_changed=False)

    def _check_no_load_on_its_way(self, purse: PurseRow) -> None:
        """A signed grant that nobody has seen is bound to the core that is about to go."""
        waiting = self._unit.cards.orders_of(purse.id, "loading")
        if waiting:
            raise ConflictError("KEY_CHANGE_LOAD_FIRST", order=waiting[0].id)

    def _sign(self, card: ChangingCard, new: Info) -> KeyChangePlan:
        purse = self._purse()
        books = books_of(self._unit, purse)
        compare_changing(card, books, self._today())
        known = {row.slot: row for row in self._unsent_or_sent(purse, new.core)}

        def signed_for(wallet: Wallet) -> SignedGrant:
            row = known.get(wallet.slot)
            if row is None:
                return self._resign(wallet, card, books, new)
            return SignedGrant.decode(row.grant + row.signature)

        moves, record_map = grant_moves(card, signed_for)
        init = init_record(card.state, self._randomness.bytes(INTENT_HASH_SIZE))
        for move in moves:
            if move.signed is not None:
                self._grant_row(move.signed).record = move.number
        return KeyChangePlan(moves, init, record_map)

    def _resign(
        self, wallet: Wallet, card: ChangingCard, books: PurseBooks, new: Info
    ) -> SignedGrant:
        """An order of 0 cents and its grant, both on record before it leaves."""
        require_whole(self._unit)
        purse, before = self._purse(), self._grant_row(wallet.signed)
        spend = card.state.old.newest.spend
        assert spend is not None
        key = self._unit.programmes.newest_issuer_key(purse.municipality_id)
        number = max(purse.grant_seq_high, card.highest) + 1
        grant, cents = renewed_grant(wallet, spend, books, number, key.key_id)
        signed = sign_grant(self._keys.grant_key(new.issuer, key.key_id), new.core, grant)
        order = self._order_of_nothing(purse, before, new.key_set, cents)
        row = CardGrantRow(
            order_id=order.id, purse_id=purse.id, slot=wallet.slot, grant_seq=number, record=0,
            info_core=new.core, grant=bytes(signed.grant), signature=signed.signature,
            left_cents=0, state="loading", signed_at=self._now,
        )  # fmt: skip
        grants.record_signed(self._unit, row, self._now)
        return signed

    def _order_of_nothing(
        self, purse: PurseRow, before: CardGrantRow, key_set: int, carried: int
    ) -> LoadOrderRow:
        earlier, act = before.order, self._unit.key_sets.find(purse.municipality_id, key_set)
        if act is None or act.begun_by is None or act.begun_at is None:
            raise UnknownError("KEY_SET_NOT_BEGUN", key_set=key_set)
        order = LoadOrderRow(
            purse_id=purse.id, slot=earlier.slot, programme_id=earlier.programme_id,
            funding_source_id=earlier.funding_source_id, award_id=earlier.award_id,
            source=earlier.source, source_id=earlier.source_id, return_id=earlier.return_id,
            delta_cents=0, carried_over_cents=carried, state="approved",
            requested_by=act.announced_by, approved_by=act.begun_by, approved_at=act.begun_at,
        )  # fmt: skip
        self._unit.add(order)
        return order

    def _take_up_forgotten(self, purse: PurseRow, card: ChangingCard) -> None:
        """Wallets that a restored copy does not know count again: the card has shown them."""
        genuine, by = card.old.genuine.values(), f"session:{self._row.id}"
        adopted = adopt_forgotten(self._unit, self._keys, purse, genuine, self._now, by=by)
        for row in adopted:
            grants.confirm(self._unit, row, by=by, now=self._now)
        if adopted:
            judge_purse(self._unit, purse, self._now)

    # Looking things up ---------------------------------------------------------------------

    def _learn(self, state: ChangingState) -> None:
        """Every valid record that the card attested is evidence, now that it was compared."""
        purse = self._purse()
        changed = learn_from_session(self._unit, purse, state.old.spends, self._row.id, self._now)
        judge_purse(self._unit, purse, self._now, changed_ctr=changed)

    def _unsent_or_sent(self, purse: PurseRow, core: bytes) -> list[CardGrantRow]:
        """Grants signed for the new core that do not count yet."""
        rows = self._unit.cards.grants_of(purse.id)
        return [row for row in rows if row.info_core == core and row.state == "loading"]

    def _grant_row(self, signed: SignedGrant) -> CardGrantRow:
        clear, signature = bytes(signed)[:GRANT_CLEAR_SIZE], signed.signature
        row = self._unit.cards.find_grant_by_bytes(clear, signature)
        if row is None:
            raise ConflictError("GRANT_UNKNOWN", grant_seq=signed.grant.grant_seq)
        return row

    def _stored(self) -> StoredChange:
        assert self._row.plan is not None
        return StoredChange.decode(self._row.plan)

    def _change(self) -> KeyChangeRow:
        change = self._unit.key_sets.open_change(self._purse().id)
        assert change is not None
        return change

    def _purse(self) -> PurseRow:
        assert self._row.purse_id is not None
        return self._unit.cards.purse_by_id(self._row.purse_id)

    def _today(self) -> int:
        return day_number(day_at(self._now))
