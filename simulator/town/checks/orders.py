"""Laws 3 and 6 for loads: what lies on cards was ordered, signed and booked, each once.

A grant that appears on a card is one of ours, byte for byte, signed by the issuer's key for
this purse, under an order that two people approved; its total is what the card had spent, plus
what was carried over from the wallet before, plus what was ordered. The transfers of an order
moved its delta exactly once, to where its state says.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cardlib.keys.grants import SignedGrant
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import CardChange, PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch, SeenTransfer
from simulator.town.checks.routes import PRESENT
from simulator.town.checks.sql import Row, Sql

_GRANT = (
    "SELECT g.info_core, g.grant_bytes, g.signature, g.left_cents, o.id, o.slot, o.delta_cents,"
    " o.carried_over_cents, o.state, o.requested_by, o.approved_by FROM card_grant g"
    " JOIN load_order o ON o.id = g.order_id JOIN purse p ON p.id = g.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id"
    " WHERE m.issuer = ? AND p.number = ? AND g.grant_seq = ?"
)
_KEY = (
    "SELECT k.public_key FROM issuer_key k JOIN municipality m ON m.id = k.municipality_id"
    " WHERE m.issuer = ? AND k.key_id = ?"
)
_LEFT = (
    "SELECT g.grant_seq FROM card_grant g JOIN load_order o ON o.id = g.order_id"
    " JOIN purse p ON p.id = g.purse_id JOIN municipality m ON m.id = p.municipality_id"
    " WHERE m.issuer = ? AND p.number = ? AND g.slot = ? AND g.state = 'on_card'"
    " AND g.confirmed_by LIKE 'session:%' AND o.state = 'on_card'"
)
_ORDER = "SELECT delta_cents, state FROM load_order WHERE id = ?"
_PREFIX = b"borsellino/1/grant\x00"
_WHERE = {
    "approved": (0, 0), "void": (0, 0), "loading": (1, 0), "on_card": (0, 1),
    "superseded_on_card": (0, 1),
}  # fmt: skip
"""How often the delta of an order in a state lies in *loading*, and how often it went on."""


class OrderWatch:
    """Every grant and every load order."""

    def __init__(self, ledger: LedgerWatch, declared: Declared) -> None:
        self._ledger = ledger
        self._declared = declared
        self._keys: dict[tuple[bytes, int], Ed25519PublicKey] = {}
        self._moved: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        """By order: cents that lie in loading, and cents that went on to a card."""

    def check_cards(self, sql: Sql, changes: Iterable[CardChange]) -> None:
        """New grants on cards; TownError ``TOWN_GRANT_UNORDERED``."""
        for change in changes:
            for signed in sorted(change.granted, key=lambda one: one.grant.grant_seq):
                if change.truth.purse not in self._declared.rogue_purses:
                    self._check_grant(sql, change.truth, signed)

    def check_orders(self, sql: Sql, transfers: Sequence[SeenTransfer]) -> None:
        """Orders that were booked; TownError ``TOWN_BOOKED_TWICE``."""
        self._follow(transfers)
        for kind, number in sorted({one.document for one in transfers}):
            if kind == "order":
                self._check_order(sql, number)
            elif kind == "award":
                self._check_award(sql, number)

    def check_end(self, sql: Sql, purses: Mapping[PurseId, PurseTruth]) -> None:
        """A load that was ended leaves no older grant of its wallet on the card (PROTOCOL 1.9)."""
        for purse, truth in purses.items():
            if purse in self._declared.rogue_purses:
                continue
            held = [one.grant for one in truth.grants.values()]
            for slot in sorted({grant.slot for grant in held}):
                for (newest,) in sql.ask(_LEFT, purse.issuer, purse.number, slot):
                    for grant in held:
                        if grant.slot == slot and grant.grant_seq < newest:
                            what = f"it still holds what grant {newest} replaced"
                            raise _unordered(f"{purse} grant {grant.grant_seq}", what)

    def _check_grant(self, sql: Sql, truth: PurseTruth, signed: SignedGrant) -> None:
        grant, place = signed.grant, f"{truth.purse} grant {signed.grant.grant_seq}"
        rows = sql.ask(_GRANT, truth.purse.issuer, truth.purse.number, grant.grant_seq)
        if not rows or bytes(rows[0][1]) + bytes(rows[0][2]) != bytes(signed):
            raise _unordered(place, "nobody signed it", grant.granted_total)
        core, _, signature, _, _, slot, _, _, state, asked, approved = rows[0]
        if not self._is_signed(sql, truth, signed, bytes(core), bytes(signature)):
            raise _unordered(place, "its signature is bad", grant.granted_total)
        if not approved or approved == asked or state in {"approved", "void"} or slot != grant.slot:
            what = f"order {rows[0][4]} is {state}, asked by {asked}, approved by {approved}"
            raise _unordered(place, what, grant.granted_total)
        self._check_total(truth, signed, rows[0], place)

    def _check_total(self, truth: PurseTruth, signed: SignedGrant, row: Row, place: str) -> None:
        grant, (left, delta, carried) = signed.grant, (row[3], row[6], row[7])
        base = truth.chain.get(grant.base_ctr)
        if base is None or base.spend.spent[grant.slot - 1] != grant.base_spent:
            raise _unordered(place, "it starts from totals that the card never had")
        off = grant.granted_total - (grant.base_spent + carried + delta)
        before = [
            one.grant
            for one in truth.ever.values()
            if one.grant.slot == grant.slot and one.grant.grant_seq < grant.grant_seq
        ]
        if before:
            older = max(before, key=lambda one: one.grant_seq)
            rest = older.granted_total - grant.base_spent
            rest -= min(rest, self._given_up(truth.purse, older.grant_seq))
            off = off or carried + left - rest
        elif carried:
            off = off or carried
        if off:
            what = f"{grant.base_spent} spent, {carried} carried over, {delta} ordered"
            raise _unordered(place, what, off)

    def _given_up(self, purse: PurseId, grant_seq: int) -> int:
        """Cents of a wallet that expired for good: the card shows them, and no grant follows."""
        document = "expiry", f"{purse.issuer.hex()}:{purse.number.hex()}:{grant_seq}"
        kinds = self._ledger.accounts
        net = self._ledger.nets.get(document, {}).items()
        return -sum(cents for account, cents in net if kinds[account].kind in PRESENT)

    def _is_signed(
        self, sql: Sql, truth: PurseTruth, signed: SignedGrant, core: bytes, signature: bytes
    ) -> bool:
        named = truth.purse.issuer, signed.grant.issuer_key
        if named not in self._keys:
            rows = sql.ask(_KEY, *named)
            if not rows:
                return False
            self._keys[named] = Ed25519PublicKey.from_public_bytes(bytes(rows[0][0]))
        try:
            self._keys[named].verify(signature, _PREFIX + core + bytes(signed.grant))
        except InvalidSignature:
            return False
        return core[:12] == truth.info.core[:12]

    def _check_order(self, sql: Sql, number: str) -> None:
        rows = sql.ask(_ORDER, int(number))
        if not rows:
            raise breach("TOWN_BOOKED_TWICE", 6, f"order {number}", "there is no such order")
        delta, state = rows[0]
        lies, went = self._moved[number]
        wanted = tuple(times * delta for times in _WHERE[state])
        if (lies, went) != wanted:
            what = f"{lies} of {delta} in loading, {went} went on, while {state}"
            off = lies + went - sum(wanted)
            raise breach("TOWN_BOOKED_TWICE", 6, f"order {number}", what, off)

    def _follow(self, transfers: Iterable[SeenTransfer]) -> None:
        for one in transfers:
            if one.document[0] != "order":
                continue
            lies, went = self._moved[one.document[1]]
            if one.target.kind == "loading":
                lies += one.cents
            elif one.source.kind == "loading":
                lies -= one.cents
                went += one.cents if one.target.kind == "on_card" else 0
            self._moved[one.document[1]] = lies, went

    def _check_award(self, sql: Sql, number: str) -> None:
        rows = sql.ask("SELECT cents - withdrawn_cents FROM award WHERE id = ?", int(number))
        wanted = rows[0][0] if rows else 0
        net = self._ledger.nets["award", number]
        kinds = self._ledger.accounts
        off = sum(c for one, c in net.items() if kinds[one].kind == "committed") - wanted
        if off:
            raise breach("TOWN_BOOKED_TWICE", 6, f"award {number}", "not what was awarded", off)


def _unordered(place: str, what: str, cents: int = 0) -> TownError:
    return breach("TOWN_GRANT_UNORDERED", 3, place, what, cents)
