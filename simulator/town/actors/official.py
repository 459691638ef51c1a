"""The town hall's people: award, order loads, and take back what was not taken."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.town.hall import Hall
from simulator.town.plan.people import town_iban
from simulator.town.truth import Truth

TOWN, ISSUER = "Comune di Borgo Esempio", "018999"
TOWN_IBAN = town_iban(1)
SOURCE = "Fondo di solidarietà alimentare"
LOADER, APPROVER, ACCOUNTANT = "anna.loader", "bruno.approver", "carla.accountant"
_TWO = {"requested_by": LOADER, "approved_by": APPROVER}
_FUND = (
    "SELECT (SELECT coalesce(sum(t.cents), 0) FROM transfer t JOIN account a ON a.id = t.target_id"
    " WHERE a.kind = 'fund' AND a.programme_id = p.id)"
    " - (SELECT coalesce(sum(t.cents), 0) FROM transfer t JOIN account a ON a.id = t.source_id"
    " WHERE a.kind = 'fund' AND a.programme_id = p.id) FROM programme p WHERE p.id = ?"
)
_WAITING = (
    "SELECT m.issuer, p.number FROM load_order o JOIN purse p ON p.id = o.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE o.state = 'approved'"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """An order as the office has it in its binder."""

    purse: PurseId
    holder: str
    programme: int
    cents: int


class Official:
    """Acts through the backend's services; notes what was ordered."""

    def __init__(self, hall: Hall, truth: Truth, programmes: Mapping[int, int]) -> None:
        self._hall = hall
        self._truth = truth
        self._programmes = programmes
        """The backend's numbers of programmes, by the town's."""
        self._acts = 0
        self._papers: dict[str, Paper] = {}
        """What was ordered, by its act."""
        self._taken_back: dict[str, Paper] = {}
        """What was ordered and taken back, by its act."""

    # money ----------------------------------------------------------------------------------

    def order_load(
        self, purse: PurseId, holder: str, programme: int, cents: int, act: str = ""
    ) -> None:
        """An award for a household, and the approved order to load it.

        ``act`` names this order alone: where the backend died on the way, the same again goes on.
        """
        self._acts += 1
        act = act or f"Determina {self._acts}/2027"
        paper = Paper(purse, holder, programme, cents)
        self._enter(act, paper)
        self._papers[act] = paper
        self._truth.ordered[purse] += cents
        self._truth.ordered_slots[purse, programme] += cents

    def enter_again(self) -> Counter[PurseId]:
        """What a restored copy has forgotten is entered from the binder; loads that now wait.

        Also those that were fetched since the copy was made: the card must be seen again.
        """
        for act, paper in self._papers.items():
            self._enter(act, paper)
        for act in self._taken_back:
            order = self._order(act)
            if order is not None:
                self._cancel(act, order)
        with self._hall.engine.connect() as connection:
            rows = connection.exec_driver_sql(_WAITING).all()
        return Counter(PurseId(bytes(issuer), bytes(number)) for issuer, number in rows)

    def _enter(self, act: str, paper: Paper) -> None:
        """Award and order, as far as they are not there."""
        backend, award, order = self._hall.backend, self._award(act), self._order(act)
        if award is None:
            award = backend.programmes.award(
                self._programmes[paper.programme], SOURCE, paper.holder, Money(paper.cents),
                act=act, **_TWO,
            )  # fmt: skip
        if order is None:
            backend.loads.approve(award, paper.purse, Money(paper.cents), **_TWO)

    # what was not taken -------------------------------------------------------------------

    def take_back(self, purse: PurseId) -> tuple[int, int | None]:
        """Cancels what waits for a purse; cents, and an order that a card session must make void.

        What was signed may lie on the card, and only the card can say.
        """
        taken = 0
        for act, paper in list(self._papers.items()):
            order = self._order(act)
            if paper.purse != purse or order is None:
                continue
            state = self._ask("SELECT state FROM load_order WHERE id = ?", order)
            if state == "loading":
                return taken, order
            if state in ("approved", "void"):
                self._taken_back[act] = paper
                self._cancel(act, order)
                taken += self._strike_out(act)
        return taken, None

    def _cancel(self, act: str, order: int) -> None:
        """The order is void, and its award goes back into the fund; again changes nothing."""
        paper, award = self._taken_back[act], self._award(act)
        assert award is not None
        if self._ask("SELECT state FROM load_order WHERE id = ?", order) == "approved":
            self._hall.backend.unspent.cancel_order(order, **_TWO)
        if self._ask("SELECT state FROM award WHERE id = ?", award) != "withdrawn":
            self._hall.backend.unspent.withdraw(award, Money(paper.cents), **_TWO)

    def _strike_out(self, act: str) -> int:
        """An order that was taken back is no promise any more; its cents."""
        paper = self._papers.pop(act)
        self._truth.ordered[paper.purse] -= paper.cents
        self._truth.ordered_slots[paper.purse, paper.programme] -= paper.cents
        return paper.cents

    def give_back(self) -> int:
        """Half of what every fund still holds returns to the funder; cents."""
        returned = 0
        for programme in self._programmes.values():
            held = self._ask(_FUND, programme) or 0
            if held > 1:
                self._hall.backend.unspent.give_back(
                    programme, SOURCE, Money(held // 2), act="Determina 90/2026", by=ACCOUNTANT
                )
                returned += held // 2
        return returned

    def _award(self, act: str) -> int | None:
        return self._number("SELECT id FROM award WHERE act = ?", act)

    def _order(self, act: str) -> int | None:
        query = "SELECT o.id FROM load_order o JOIN award a ON a.id = o.award_id WHERE a.act = ?"
        return self._number(query, act)

    def _number(self, query: str, about: object) -> int | None:
        found = self._ask(query, about)
        return None if found is None else int(found)

    def _ask(self, query: str, about: object) -> Any:
        with self._hall.engine.connect() as connection:
            return connection.exec_driver_sql(query, (about,)).scalar()
