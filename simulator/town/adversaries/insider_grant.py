"""PROTOCOL 8: the issuer's key and M_LOAD are misused inside the municipality.

Somebody with the key store signs a grant that nobody ordered and writes it onto a friend's
card. Each till takes it for what it is: validly signed.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.codec.apdu import Command
from cardlib.codec.commands import INS_UPDATE_BINARY, INS_UPDATE_RECORD
from cardlib.codec.files import EF_GRANT, EF_INFO
from cardlib.codec.status import Status
from cardlib.keys import records
from cardlib.keys.derivation import KeyUse, derive
from cardlib.keys.grants import sign_grant
from cardlib.wire.ids import PurseId
from simulator.town.actors.cashier import Cashier
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.granted import had, live_grants
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.model import Happening, Mood

_EXTRA, _FRIENDS = 100_00, 2
_BEYOND = 50_00
"""Cents that a friend asks for above what the card shows."""
_PAID_UNSEEN = (
    "SELECT s.terminal, s.intent_seq FROM posting s JOIN posting_part pp ON pp.posting_id = s.id"
    " JOIN account a ON a.id = pp.holder_id LEFT JOIN suspense_case c ON c.id = s.case_id"
    " WHERE a.kind IN ('payable', 'in_payment', 'paid') AND c.approved_by IS NULL"
)
"""Sales that are paid, or will be, though no two people have decided so."""


class InsiderGrant(BooksAttack):
    """Bounded by what he dares to sign; the books lack it, and the verifier says so."""

    name: ClassVar[str] = "insider grant"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 8; DESIGN 2, law 3", claim=Claim.BOUNDED,
        bound="what the signed grants on the cards say beyond those of the books",
        seen_by="GRANT_NOT_OURS at the upload of the first till that saw it; each sale waits for"
        " people (SALE_GRANT_UNKNOWN); the verifier (GRANT_UNLISTED)",
        told_by=frozenset({"GRANT_NOT_OURS"}),
    )  # fmt: skip
    tell_tales: ClassVar[frozenset[str]] = frozenset({"SALE_GRANT_UNKNOWN"})
    anywhere: ClassVar[bool] = True
    tries: ClassVar[int] = 12

    def prepare(self) -> None:
        """Nobody's friend yet."""
        self.friends: set[PurseId] = set()
        self.on_forged: list[tuple[int, int]] = []
        """Terminal and intent of sales that a forged grant paid."""

    def act(self, happening: Happening) -> None:
        """Writes one onto the card of somebody who has just bought, who buys again each time."""
        card = self.victim(happening)
        if card is None or self.town.registers[happening.place].till is None:
            return
        if card.purse not in self.friends and len(self.friends) < _FRIENDS and self._write(card):
            self._declare(card)
        if card.purse in self.friends:
            self._spend(card, happening)

    def _declare(self, card: OpenedCard) -> None:
        self.friends.add(card.purse)
        declared = self.town.declared
        declared.rogue_purse(card.purse)
        for code in ("GRANT_NOT_OURS", "GRANT_UNKNOWN", "CARD_ABOVE_LEDGER", "PURSE_BELOW_GRANT"):
            declared.expect(code)
        declared.findings |= {"GRANT_UNLISTED", "SALE_ON_UNKNOWN_GRANT"}

    def _spend(self, card: OpenedCard, happening: Happening) -> None:
        """All that the forged wallet shows, and more: no limit of a day was signed."""
        slot = max(card.grants, key=lambda one: card.grants[one].grant.grant_seq)
        mask, balance = card.grants[slot].grant.categories, card.balance(slot)
        if balance <= 0:
            return
        again = replace(
            happening, id=f"{happening.id}-insider", accidents=(), mood=Mood.PATIENT,
            basket=(((mask & -mask).bit_length() - 1, balance + _BEYOND),),
            forgets=False, pin_slips=0,
        )  # fmt: skip
        self.tally.attempts += 1
        before = len(self.town.truth.deliveries)
        Cashier(self.town, again).sell(self.town.registers[again.place], card.citizen)
        given = self.town.truth.deliveries[before:]
        self.on_forged += [(item.terminal, item.seq) for item in given]

    def _write(self, card: OpenedCard) -> bool:
        """The next grant of a slot, larger, in a free record; and the map."""
        slot = min(card.grants)
        old, store = card.grants[slot], self.town.hall.backend.keys
        forged = replace(
            old.grant, grant_seq=self._next(card), base_ctr=card.newest.ctr,
            base_spent=card.newest.spent[slot - 1], granted_total=old.grant.granted_total + _EXTRA,
            day_limit_eur=0,
        )  # fmt: skip
        key = store.grant_key(card.info.issuer, forged.issuer_key)
        record = records.seal_grant(card.keys.record, sign_grant(key, card.info.core, forged))
        free = card.free_grant_record()
        load = self.town.masters(card.info.issuer, card.info.key_set).load
        command_key = derive(load, KeyUse.LOAD_COMMAND, card.info)
        written = card.send_secured(
            Command(0, INS_UPDATE_RECORD, free, EF_GRANT.read_p2, record), command_key
        )
        named = bytes((card.info.record_map | 1 << (free - 1),))
        map_at = Command(0, INS_UPDATE_BINARY, 0x80 | EF_INFO.sfi, EF_INFO.size - 1, named)
        return written == card.send_secured(map_at, command_key) == Status.OK

    @staticmethod
    def _next(card: OpenedCard) -> int:
        """A number that is not signed yet."""
        return max(signed.grant.grant_seq for signed in card.grants.values()) + 1

    def count(self) -> None:
        """Goods beyond what was ever ordered and loaded; and who was paid for them unlooked at."""
        for purse in self.friends:
            self.tally.gain += max(0, -had(self.town, purse))
            self.tally.bound += self._beyond_the_books(purse)
        with self.town.engine.connect() as books:
            paid = {(terminal, seq) for terminal, seq in books.exec_driver_sql(_PAID_UNSEEN)}
        for terminal, seq in self.on_forged:
            if (terminal, seq) in paid:
                self.tally.overdue.append(f"{terminal}:{seq} is paid, and nobody has looked")

    def _beyond_the_books(self, purse: PurseId) -> int:
        """What the grants on the chip grant above the newest of each slot that the books know."""
        known = {grant.slot: grant.granted_total for grant in live_grants(self.town, purse)}
        on_chip = OpenedCard(self.town, self.town.holders[purse]).grants
        return sum(
            max(0, signed.grant.granted_total - known.get(slot, 0))
            for slot, signed in on_chip.items()
        )
