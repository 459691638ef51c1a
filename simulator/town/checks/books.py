"""Everything that stands on one state of the backend's database, looked at in one go."""

from collections.abc import Collection, Iterable

from simulator.town.checks.alarm_rules import AlarmRules
from simulator.town.checks.cards import CardWatch
from simulator.town.checks.dues import DueWatch
from simulator.town.checks.evidence import TownSeen
from simulator.town.checks.journals import JournalWatch
from simulator.town.checks.ledger import LedgerWatch, SeenTransfer
from simulator.town.checks.orders import OrderWatch
from simulator.town.checks.proofs import ProofWatch
from simulator.town.checks.settlement import SettlementWatch
from simulator.town.checks.slots import SlotWatch
from simulator.town.checks.sql import Sql
from simulator.town.checks.uploads import UploadWatch

_MARKS = "SELECT id, proven_ctr, card_mark, state, hotlisted_at FROM purse"
_NEW_POSTINGS = "SELECT id, purse_id FROM posting WHERE id > ?"


class BooksWatch:
    """The backend of a town; a backend on an older backup needs a new one."""

    def __init__(self, town: TownSeen, cards: CardWatch, journals: JournalWatch) -> None:
        declared = town.declared
        self.sql = Sql(town.engine)
        self.ledger = LedgerWatch()
        self.slots = SlotWatch(self.ledger, cards.purses, declared)
        self.orders = OrderWatch(self.ledger, declared)
        self.settlement = SettlementWatch(self.ledger)
        self.uploads = UploadWatch(journals.journals, declared)
        self.proofs = ProofWatch(town.masters, cards.purses, declared)
        self.alarm_rules = AlarmRules(declared, journals.journals, self.proofs)
        self._journals = journals
        self._marks: dict[int, tuple[object, ...]] = {}
        self._purses = cards.purses
        self._last_posting = 0
        self._version: tuple[int, int] | None = None

    def look(self, touched: Collection[int] | None, *, everything: bool) -> bool:
        """What was committed since; whether anything was. ``everything``: touched or not."""
        version = self.sql.version()
        if version == self._version and not everything:
            return False
        before = self.ledger.last
        transfers = self.ledger.read(self.sql)
        self.slots.learn(transfers)
        self.orders.check_orders(self.sql, transfers)
        self.settlement.check(self.sql, transfers)
        self.proofs.check(self.sql)
        self.uploads.check(self.sql, touched)
        for purse in sorted(self._touched(transfers, everything=everything)):
            self.slots.check(self.sql, purse, before)
        if everything:
            self.ledger.check_all(self.sql)
        self._version = version
        return True

    def check_end(self) -> None:
        """What has to be so when everything has happened and every till has synchronised."""
        self.slots.check_end(self.sql)
        self.orders.check_end(self.sql, self._purses)
        self.proofs.check_all(self.sql)
        self.uploads.check_all(self.sql)
        self.settlement.check_all(self.sql)

    def check_dues(self, town: TownSeen) -> None:
        """A history that was played to its end leaves nobody waiting."""
        journals = self._journals.journals
        DueWatch(town, self.sql, journals, self.proofs, self.ledger).check()

    def _touched(self, transfers: Iterable[SeenTransfer], *, everything: bool) -> set[int]:
        """Purses whose money, marks or postings moved."""
        marks = {row[0]: row[1:] for row in self.sql.ask(_MARKS)}
        changed = {purse for purse, mark in marks.items() if self._marks.get(purse) != mark}
        self._marks = marks
        for number, purse in self.sql.ask(_NEW_POSTINGS, self._last_posting):
            self._last_posting = max(self._last_posting, number)
            changed.add(purse)
        if everything:
            return set(marks)
        ends = (end for one in transfers for end in (one.source, one.target))
        return changed | {end.purse for end in ends if end.purse is not None}
