"""What attacks on journals, stations and desk have in common: turns, and who noticed what."""

from abc import abstractmethod
from random import Random
from typing import ClassVar

from cardlib.wire.ids import PurseId
from simulator.town.actors.citizen import Citizen
from simulator.town.adversaries.attacker import Attacker
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.rogue_shop import RogueShop
from simulator.town.checks.alarms import NEW_ALARMS
from simulator.town.plan.finale import FINALE
from simulator.town.plan.model import Happening
from simulator.town.state import Town

_CASES = (
    "SELECT c.id, c.code, NULL, NULL, m.issuer, p.number FROM suspense_case c"
    " LEFT JOIN purse p ON p.id = c.purse_id LEFT JOIN municipality m ON m.id = p.municipality_id"
    " WHERE c.id > ? ORDER BY c.id"
)


class BooksAttack(Attacker):
    """A subclass says when it acts and what it counts.

    Alarms and cases about its terminals and purses whose codes ``told_by`` names, or else
    ``tell_tales``, are noted in ``tally.seen``, each with the happening after which it stood.
    """

    tries: ClassVar[int] = 6
    tell_tales: ClassVar[frozenset[str]] = frozenset()
    anywhere: ClassVar[bool] = False
    """Whether alarms count that name neither its terminals nor its purses."""

    def __init__(self) -> None:
        super().__init__()
        self.terminals: set[int] = set()
        self.purses: set[PurseId] = set()
        self._begun = False
        self._shop: RogueShop | None = None
        self._seen = {NEW_ALARMS: 0, _CASES: 0}

    # to be said by each ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Before the first turn."""

    @abstractmethod
    def act(self, happening: Happening) -> None:
        """A turn: after a happening of a kind in ``turn``, while the town lives on."""

    def finish(self, happening: Happening) -> None:
        """After each happening of the finale: its shop reports and is settled like any other."""
        if self._shop is not None:
            self._shop.close_with_the_others(happening)

    def count(self) -> None:
        """At the end: gain, bound, and what is overdue."""

    # its turns -----------------------------------------------------------------------------------

    def after(self, town: Town, happening: Happening) -> None:
        """A turn, when it is one; and a look at what has been noticed."""
        if not self._begun:
            self.rng, self._begun = Random(f"{town.seed}:{self.name}"), True
            self.town = town
            self.prepare()
        super().after(town, happening)
        self.look(happening)

    def follow(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        """In the finale it does what its shop has to do."""
        if happening.id.startswith(FINALE):
            self.finish(happening)

    def take_turn(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        """In the finale it rests."""
        if not happening.id.startswith(FINALE):
            self.act(happening)

    def sum_up(self, town: Town) -> None:  # noqa: ARG002
        """The sums of whoever has begun."""
        if self._begun:
            self.count()

    # what they use ------------------------------------------------------------------------------

    def look(self, happening: Happening) -> None:
        """Notes alarms and cases about ours."""
        with self.town.engine.connect() as connection:
            for query, last in self._seen.items():
                for number, code, _, terminal, issuer, purse in connection.exec_driver_sql(
                    query, (last,)
                ):
                    self._seen[query] = number
                    about = PurseId(bytes(issuer), bytes(purse)) if purse is not None else None
                    ours = terminal in self.terminals or about in self.purses
                    if code in (self.expectation.told_by | self.tell_tales) and (
                        ours or self.anywhere
                    ):
                        self.tally.seen.setdefault(code, happening.id)

    @property
    def shop(self) -> RogueShop:
        """Its own shop, once it is open."""
        assert self._shop is not None
        return self._shop

    def open_shop(self) -> RogueShop:
        """A merchant of its own, with a till."""
        self._shop = RogueShop(self.town, self.name)
        self.terminals.add(self._shop.terminal)
        return self._shop

    def victim(self, happening: Happening) -> OpenedCard | None:
        """The card of whoever the happening is about, when it is at hand and holds money."""
        citizen = self.town.citizens.get(happening.person)
        return self.opened(citizen) if citizen is not None else None

    def opened(self, citizen: Citizen) -> OpenedCard | None:
        """A card with its PIN and a wallet; None while a till waits to see it again."""
        if citizen.purse is None or citizen.lost or citizen.pin is None or citizen.needs_pin:
            return None
        tills = (register.till for register in self.town.registers.values())
        if any(till and list(till.journal.views.unsettled(citizen.purse)) for till in tills):
            return None
        card = OpenedCard(self.town, citizen)
        return card if card.grants else None

    def slot_with(self, card: OpenedCard, cents: int) -> int | None:
        """A slot that holds at least ``cents``."""
        able = [slot for slot in sorted(card.grants) if card.balance(slot) >= cents]
        return self.rng.choice(able) if able else None


def balances(town: Town, kind: str) -> int:
    """Cents in all accounts of a kind."""
    with town.engine.connect() as connection:
        query = "SELECT coalesce(sum(balance_cents), 0) FROM account WHERE kind = ?"
        return int(connection.exec_driver_sql(query, (kind,)).scalar_one())
