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
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.reopened_value import everything
from simulator.town.plan.model import Happening

_EXTRA, _FRIENDS = 100_00, 2


class InsiderGrant(BooksAttack):
    """Bounded by what he dares to sign; the books lack it, and the verifier says so."""

    name: ClassVar[str] = "insider grant"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 8; DESIGN 2, law 3", claim=Claim.BOUNDED, bound="what he signed",
        seen_by="GRANT_NOT_OURS at the upload of the first till that saw it; the verifier",
    )  # fmt: skip
    tell_tales: ClassVar[frozenset[str]] = frozenset({"GRANT_NOT_OURS", "SALE_GRANT_UNKNOWN"})
    anywhere: ClassVar[bool] = True
    tries: ClassVar[int] = 12

    def prepare(self) -> None:
        """Nobody's friend yet."""
        self.friends: set[PurseId] = set()

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
        self.tally.bound += _EXTRA

    def _spend(self, card: OpenedCard, happening: Happening) -> None:
        again = replace(
            happening, id=f"{happening.id}-insider", accidents=(), basket=everything(card),
            forgets=False, pin_slips=0,
        )  # fmt: skip
        if again.basket:
            self.tally.attempts += 1
            Cashier(self.town, again).sell(self.town.registers[again.place], card.citizen)

    def _write(self, card: OpenedCard) -> bool:
        """The next grant of a slot, larger, in a free record; and the map."""
        slot = min(card.grants)
        old, store = card.grants[slot], self.town.hall.backend.keys
        forged = replace(
            old.grant, grant_seq=self._next(card), base_ctr=card.newest.ctr,
            base_spent=card.newest.spent[slot - 1], granted_total=old.grant.granted_total + _EXTRA,
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
        """Goods, and what the card still holds, beyond what was ever ordered and loaded."""
        truth = self.town.truth
        for purse in self.friends:
            card = self.opened(self.town.holders[purse])
            had = truth.received()[purse] + (card.worth if card else 0)
            self.tally.gain += max(0, had - truth.loaded[purse])
        if self.tally.attempts and "GRANT_NOT_OURS" not in self.tally.seen:
            self.tally.overdue.append("GRANT_NOT_OURS")
