"""All checks of a town, as one watcher.

::

    checks = TownChecks()
    with World(plan, watchers=[checks]) as world:
        world.play()                       # TownError at the first breach
    checks.counts                          # alarms explained, false and missed, and more

After each happening only what was touched is looked at; nothing at the backend when nobody
has committed. ``thorough`` compares everything each time: ten times slower.
"""

from collections.abc import Collection
from dataclasses import dataclass

from backend.verifier.audit import Verdict
from simulator.errors import TownError
from simulator.town.checks.alarms import AlarmWatch
from simulator.town.checks.audit import audited, check_audit, check_visit
from simulator.town.checks.books import BooksWatch
from simulator.town.checks.cards import CardChange, CardWatch
from simulator.town.checks.evidence import Happened, TownSeen
from simulator.town.checks.goods import GoodsWatch
from simulator.town.checks.journals import JournalWatch

EVERYTHING_EVERY = 500
"""After so many happenings every balance and every till is looked at, touched or not."""
VISIT_AT = 3_000
"""Once, after so many happenings, an auditor comes unannounced: cases are open then, payments
under way. Not where a copy of the backend was put back, which lacks what tills may still tell."""
AT_END = "end"


@dataclass(frozen=True, slots=True)
class Counts:
    """What was looked at, and what became of the alarms."""

    happenings: int
    transfers: int
    entries: int
    records: int
    alarms_explained: int
    alarms_false: int
    alarms_missed: int


class TownChecks:
    """Implements ``simulator.town.world.Watcher``."""

    def __init__(self, *, strict_alarms: bool = True, thorough: bool = False) -> None:
        self._strict_alarms = strict_alarms
        self._thorough = thorough
        self._town: TownSeen | None = None
        self._happenings = 0
        self._restores = 0
        self.verdict: Verdict | None = None
        """What the independent verifier said at the end; None before."""

    def after(self, world: TownSeen, happening: Happened) -> None:
        """Everything that was touched; TownError at the first breach."""
        self._happenings += 1
        everything = self._thorough or self._happenings % EVERYTHING_EVERY == 0
        try:
            self._look(world, happening.place, everything=everything)
            if self._happenings == VISIT_AT and not world.declared.backend_restores:
                check_visit(world, audited(world))
        except TownError as error:
            raise self._complete(error, world, happening.id) from error

    def at_end(self, world: TownSeen) -> None:
        """Once more everything, goods against money, and the independent audit."""
        try:
            self._look(world, None, everything=True)
            self._books.check_end()
            self.goods.check_end(self._books.sql, self.journals.journals, concluded=world.concluded)
            if world.concluded:
                self._books.check_dues(world)
            self.verdict = audited(world)
            check_audit(world, self.verdict)
        except TownError as error:
            raise self._complete(error, world, AT_END) from error
        finally:
            self.close()

    @property
    def counts(self) -> Counts:
        """So far."""
        if not hasattr(self, "alarms"):  # it broke before anybody looked
            return Counts(0, 0, 0, 0, 0, 0, 0)
        return Counts(
            happenings=self._happenings,
            transfers=self._books.ledger.last,
            entries=sum(journal.seq for journal in self.journals.journals.values()),
            records=sum(len(truth.chain) for truth in self.cards.purses.values()),
            alarms_explained=sum(self.alarms.explained.values()),
            alarms_false=sum(self.alarms.false.values()),
            alarms_missed=sum(self.alarms.missed.values()),
        )

    def close(self) -> None:
        """Gives the database back. May be called twice."""
        if self._town is not None:
            self._books.sql.close()
            self._town = None

    # one look ---------------------------------------------------------------------------------

    def _look(self, town: TownSeen, place: tuple[str, int] | None, *, everything: bool) -> None:
        if self._town is not town:
            self._begin(town)
            everything = True
        touched = None if everything else _touched(town, place)
        changes = self.cards.look(town.cards)
        self.journals.look(town.tills, touched)
        for change in changes:
            self._explain(change)
        self.goods.check(changes, self.journals.journals)
        self._look_at_books(town, changes, touched, everything=everything)

    def _begin(self, town: TownSeen) -> None:
        declared = town.declared
        self._town = town
        self.cards = CardWatch(town.masters, declared.rogue_purses)
        self.journals = JournalWatch(self.cards, declared)
        self._books = BooksWatch(town, self.cards, self.journals)
        self.goods = GoodsWatch(declared, self._books.ledger)
        self.alarms = AlarmWatch(declared, self._strict_alarms, self._books.alarm_rules)
        self._restores = declared.backend_restores

    def _explain(self, change: CardChange) -> None:
        purse = change.truth.purse
        assert self._town is not None
        if purse not in self._town.declared.rogue_purses:
            for written in change.written:
                self.journals.explain(written, purse)

    # the books --------------------------------------------------------------------------------

    def _look_at_books(
        self, town: TownSeen, changes: list[CardChange], touched: Collection[int] | None, *,
        everything: bool,
    ) -> None:  # fmt: skip
        self._follow_restores(town)
        self._books.orders.check_cards(self._books.sql, changes)
        if self._books.look(touched, everything=everything):
            self.alarms.check(self._books.sql)
        self.alarms.check_due(self._books.sql)

    def _follow_restores(self, town: TownSeen) -> None:
        """A backend on an older backup is read anew, from its first transfer on."""
        if town.declared.backend_restores != self._restores or (
            town.engine is not self._books.sql.engine
        ):
            self._restores = town.declared.backend_restores
            self._books.sql.close()
            self._books = BooksWatch(town, self.cards, self.journals)
            self.goods.ledger = self._books.ledger
            self.alarms.begin_anew(self._books.alarm_rules)

    @staticmethod
    def _complete(error: TownError, town: TownSeen, happening: str) -> TownError:
        facts = {**error.facts, "happening": happening, "seed": town.seed}
        return TownError(error.code, **facts)


def _touched(town: TownSeen, place: tuple[str, int] | None) -> set[int]:
    besides, town.declared.touched = town.declared.touched, set()
    return besides | {till.terminal for till in town.tills if (till.shop, till.number) == place}
