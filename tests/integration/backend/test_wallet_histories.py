"""Law 1 while wallets expire, cards are lost and people decide, in any order with sales."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.adapters.tables.terminals import TerminalRow
from backend.domain.cases import Cover, Decision
from backend.errors import BackendError
from backend.services.administration.day_end import DayEnd
from backend.services.cases.office import CaseOffice
from backend.services.refunds.refund_orders import RefundDesk
from backend.services.terminals.lost_terminals import LossOffice
from backend.services.wallets.lost_cards import CardOffice
from cardlib.calendar import day_at
from cardlib.codec.purse import day_number
from tests.databases import Databases
from tests.integration.backend.books import check_export, check_laws, held
from tests.integration.backend.builders import APPROVER, LOADER, Chip, Till, Town
from tests.integration.backend.test_histories import History

DAY = 86_400
Steps = list[tuple[str, int, int]]
NAMES = [
    "sell", "sell", "sell_unproven", "void", "void_unproven", "park", "deny", "prove", "load",
    "sign_only", "fork", "claim_falsely", "sync", "sync", "days", "days", "weeks", "block",
    "unblock", "replace", "decide", "decide", "refund", "lose_till",
]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(1, 900)),
    min_size=2, max_size=16,
)  # fmt: skip


class LongHistory(History):
    """As in a year: days end, cards are lost and replaced, people close cases."""

    def __init__(self, town: Town) -> None:
        town.day_limit_eur = 1
        town.valid_to = day_number(day_at(town.clock.seconds)) + 3
        super().__init__(town)
        self.cards = CardOffice(town.work, town.clock)
        self.lost: list[Chip] = []

    def _days(self, _till: Till, _who: int, cents: int) -> None:
        self.town.clock.seconds += DAY * (1 + cents % 4)
        self._report()

    def _weeks(self, _till: Till, _who: int, _cents: int) -> None:
        self.town.clock.seconds += 25 * DAY
        self._report()

    def _report(self) -> None:
        for till in self.tills:
            till.heartbeat()
        self.tills[0].sync()
        self.tills[2].sync()
        end = DayEnd(self.town.work, self.town.clock)
        end.close_day()
        check_laws(self.town)
        again = end.close_day()
        assert (again.expired, again.given_up, again.rests_ordered) == (0, 0, 0)

    def _load(self, till: Till, who: int, cents: int) -> None:
        self.town.valid_to = day_number(day_at(self.town.clock.seconds)) + 1 + cents % 5
        if self._usable():
            super()._load(till, who, cents)

    def _sign_only(self, till: Till, who: int, cents: int) -> None:
        if self._usable():
            super()._sign_only(till, who, cents)

    def _usable(self) -> bool:
        with self.town.work.begin() as unit:
            return self.town.purse_row(unit, self.chip).state == "active"

    def _block(self, _till: Till, _who: int, cents: int) -> None:
        code = "CARD_LOST" if cents % 2 else "CARD_STOLEN"
        if self.chip in self.lost:
            return  # replaced, and nothing was left for the new one
        self.cards.block(self.chip.purse, code, by=LOADER)

    def _unblock(self, _till: Till, _who: int, _cents: int) -> None:
        if not self._usable() and not self.lost:
            self.cards.unblock(self.chip.purse, requested_by=LOADER, approved_by=APPROVER)

    def _replace(self, _till: Till, _who: int, _cents: int) -> None:
        """The lost card may still be sold from; the new one takes its money."""
        if self.lost:
            return
        self.cards.block(self.chip.purse, "CARD_STOLEN", by=LOADER)
        new = self.town.new_chip()
        self.cards.replace(self.chip.purse, new.purse, requested_by=LOADER, approved_by=APPROVER)
        self.lost.append(self.chip)
        self._load_waiting(new)
        if new.grants:
            self.branches.append(new)
            self.chip = new

    def _load_waiting(self, new: Chip) -> None:
        with self.town.work.begin() as unit:
            purse = self.town.purse_row(unit, new)
            waiting = [order.id for order in unit.cards.orders_of(purse.id, "approved")]
        for order in waiting:
            self.town.confirm(self.town.sign(new, order))

    def _decide(self, _till: Till, who: int, cents: int) -> None:
        office = CaseOffice(self.town.work, self.town.clock)
        decisions, covers = list(Decision), list(Cover)
        for case in office.waiting()[:2]:
            try:
                office.close(
                    case.number, decisions[cents % len(decisions)], act="DD", cover=covers[who % 2],
                    requested_by=LOADER, approved_by=APPROVER,
                )  # fmt: skip
            except BackendError:
                continue  # it does not fit this case

    def _refund(self, till: Till, _who: int, _cents: int) -> None:
        desk = RefundDesk(self.town.work, self.town.clock)
        for seq in range(1, len(till.journal) + 1):
            try:
                desk.order(till.number, seq, requested_by=LOADER, approved_by=APPROVER)
            except BackendError:
                continue  # nothing is due

    def _lose_till(self, till: Till, _who: int, cents: int) -> None:
        with self.town.work.begin() as unit:
            row: TerminalRow = unit.terminals.terminal(till.number)
            lost = row.state == "lost"
        if not lost and till is self.tills[1]:
            LossOffice(self.town.work, self.town.clock).record(
                till.number, self.town.clock.seconds - cents, act="Denuncia",
                requested_by=LOADER, approved_by=APPROVER,
            )  # fmt: skip

    def _sell(self, till: Till, who: int, cents: int, *, tc: bool = True) -> None:
        if self.branches[cents % len(self.branches)].grants:
            super()._sell(till, who, cents, tc=tc)


@settings(
    max_examples=5, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=STEPS)
def test_no_end_of_a_wallet_makes_or_loses_a_cent(databases: Databases, steps: Steps) -> None:
    town = Town(databases.fresh())
    LongHistory(town).run(steps)
    assert sum(held(town).values()) == 0
    check_export(town)
