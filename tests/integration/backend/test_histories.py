"""Law 1 under any history: whatever is sold, lost, voided, proven late or told out of order."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from tests.cases import as_many
from tests.databases import Databases, examples
from tests.integration.backend.books import check_export, check_laws, held
from tests.integration.backend.builders import Chip, Till, Town

Steps = list[tuple[str, int, int]]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "sell", "sell_unproven", "void", "void_unproven", "park", "deny", "prove",
                "load", "sign_only", "fork", "claim_falsely", "sync",
            ]
        ),
        st.integers(0, 2),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=14,
)  # fmt: skip


class History:
    """One card among three tills of two shops; every step also checks the equations."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.tills = [town.till(), town.till(), town.till(town.other_shop)]
        self.chip = town.chip_with(3000)
        self.branches = [self.chip]
        self.sales: dict[int, tuple[Chip, Seq, int]] = {}

    def run(self, steps: Steps) -> None:
        for name, who, cents in steps:
            step: Callable[[Till, int, int], None] = getattr(self, f"_{name}")
            step(self.tills[who], who, cents)
            check_laws(self.town)
        for till in self.tills:
            till.sync()
            check_laws(self.town)

    def _sync(self, till: Till, _who: int, _cents: int) -> None:
        till.sync()

    def _sell(self, till: Till, who: int, cents: int, *, tc: bool = True) -> None:
        chip = self.branches[cents % len(self.branches)]
        seq = till.sell(chip, cents, tc=tc)
        self.sales[who] = chip, seq, cents

    def _sell_unproven(self, till: Till, who: int, cents: int) -> None:
        self._sell(till, who, cents, tc=False)

    def _void(self, till: Till, who: int, cents: int, *, tc: bool = True) -> None:
        chip, seq, sold = self.sales.pop(who, (self.chip, Seq(0), 0))
        newest = chip.newest
        if sold and (newest.terminal, newest.seq) == (till.number, seq - 1):
            till.void(chip, seq, min(cents, sold), tc=tc)

    def _void_unproven(self, till: Till, who: int, cents: int) -> None:
        self._void(till, who, cents, tc=False)

    def _park(self, till: Till, _who: int, cents: int) -> None:
        seq = till.begin(self.chip, cents)
        till.debit(self.chip, seq)
        till.unresolved(seq)
        if cents % 2:
            till.commit(self.chip, seq, kind=EntryType.RECOVERED)

    def _deny(self, till: Till, _who: int, cents: int) -> None:
        """Says that nothing was debited; with an even amount that is a lie."""
        seq = till.begin(self.chip, cents)
        record = till.debit(self.chip, seq)
        if cents % 2:
            self.chip.records.remove(record)
        till.not_applied(self.chip, seq)

    def _prove(self, till: Till, _who: int, cents: int) -> None:
        chip = self.branches[cents % len(self.branches)]
        till.prove(chip, 1 + cents % len(chip.records))

    def _load(self, _till: Till, _who: int, cents: int) -> None:
        if self.chip.balance() >= 0:
            self.town.load(self.chip, cents)

    def _sign_only(self, _till: Till, _who: int, cents: int) -> None:
        if self.chip.balance() >= 0:
            self.town.sign(self.chip, self.town.order(self.chip, cents))

    def _fork(self, _till: Till, _who: int, _cents: int) -> None:
        if len(self.branches) < 2:
            self.branches.append(self.chip.twin())

    def _claim_falsely(self, till: Till, _who: int, cents: int) -> None:
        till.sell(self.chip.twin(), cents, tc=False)


def test_no_history_makes_or_loses_a_cent(databases: Databases) -> None:
    @settings(
        max_examples=examples(databases, as_many(25, 15)),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(steps=STEPS)
    def play(steps: Steps) -> None:
        town = Town(databases.fresh())
        History(town).run(steps)
        assert sum(held(town).values()) == 0
        check_export(town)

    play()


SALES = st.tuples(st.integers(0, 2), st.integers(1, 300), st.booleans())


def test_the_books_do_not_depend_on_the_order_of_the_uploads(databases: Databases) -> None:
    def books(order: list[int], sales: list[tuple[int, int, bool]]) -> dict[str, int]:
        town = Town(databases.fresh())
        tills = [town.till(), town.till(), town.till(town.other_shop)]
        chip = town.chip_with(3000)
        for who, cents, tc in sales:
            tills[who].sell(chip, cents, tc=tc)
        for who in order:
            _upload_some(tills[who])
            check_laws(town)
        for till in tills:
            till.sync()
        check_laws(town)
        check_export(town)
        return held(town)

    @settings(
        max_examples=examples(databases, as_many(15, 8)),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        order=st.permutations([0, 0, 0, 1, 1, 2, 2, 2]),
        sales=st.lists(SALES, min_size=3, max_size=8),
    )
    def play(order: list[int], sales: list[tuple[int, int, bool]]) -> None:
        assert books(order, sales) == books(sorted(order), sales)

    play()


def _upload_some(till: Till) -> None:
    entries = till.journal[till.sent : till.sent + 2]
    till.sent += len(entries)
    till.upload(*entries)
