"""The end of a soak: everything is synchronised, every card shown, exported and audited."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.services.export.export import write_export
from backend.verifier.audit import Verdict, audit
from cardlib.wire.entry_body import Committed
from simulator.town.demo.cards_and_ledger import SlotBooks, compare
from simulator.town.demo.shop import Shop
from simulator.town.demo.town_hall import TownHall
from terminal.counter import Counter as TillCounter
from terminal.errors import UnsettledError
from terminal.till import Till
from tests.soak.town import PASSPHRASE, SoakTown

ROUNDS_MAX = 20


@dataclass(slots=True)
class Reckoning:
    """What was found; ``faults`` is empty when all is well."""

    sales: int = 0
    entries: int = 0
    settled: int = 0
    told: int = 0
    """Outcomes that the backend found out, at the end."""
    cents: int = 0
    written: Counter[str] = field(default_factory=Counter)
    """Entries by type: recovered sales are those that a kill interrupted."""
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def expect(self, good: bool, fault: str) -> None:
        """Notes a fault."""
        if not good:
            self.faults.append(fault)


def reckon(town: SoakTown) -> Reckoning:
    """Brings the town to rest and looks at everything."""
    found = Reckoning()
    for shop in town.tills:
        found.settled += _settle(town, shop, found)
    with town.hall() as hall, hall.serve(town.port):
        for shop in town.tills * 2:  # what one till tells may decide what another is told
            _synchronise(shop, found)
        for shop in town.tills:
            _take_what_is_told(town, shop, found)
            _synchronise(shop, found)
        _audit(hall, town, found)
    return found


def _settle(town: SoakTown, shop: Shop, found: Reckoning) -> int:
    """Every card is put into this till once more; how many intents that settled."""
    settled = 0
    with Till.open(shop.directory, PASSPHRASE, town.clock, town.randomness) as till:
        recovery = TillCounter(till).recovery()
        if till.journal.views.open_intent() is not None:
            recovery.park()
        for path in sorted(town.cards):
            with town.reader.insert(path) as card:
                try:
                    settled += len(recovery.settle(TillCounter(till).card(card)))
                except UnsettledError as error:
                    found.faults.append(f"{shop.directory.name}: {error.code}")
    found.sales += len(lines(shop.directory / "sales"))
    found.refused.update(lines(shop.directory / "refused"))
    return settled


def _take_what_is_told(town: SoakTown, shop: Shop, found: Reckoning) -> None:
    """The till starts once more: outcomes that its cards have forgotten are in the bundle."""
    with Till.open(shop.directory, PASSPHRASE, town.clock, town.randomness) as till:
        found.told += len(till.told)
        found.expect(till.journal.check().good, f"{shop.directory.name}: chain")
        found.expect(not till.journal.views.unsettled(), f"{shop.directory.name}: unsettled")
        found.entries += till.journal.views.head().seq
        found.written.update(_types(till))
        missing = {int(seq) for seq in lines(shop.directory / "sales")} - _committed(till)
        found.expect(not missing, f"{shop.directory.name}: told as paid, not written: {missing}")


def _synchronise(shop: Shop, found: Reckoning) -> None:
    name, problem = shop.directory.name, ""
    for _ in range(ROUNDS_MAX):
        report = shop.synchronise()
        found.expect(not report.quarantined, f"{name}, quarantined: {report.quarantined}")
        problem = report.problem or (f"{report.pending} entries wait" if report.pending else "")
        if not problem:
            return
    found.faults.append(f"{name}: {problem}")


def _audit(hall: TownHall, town: SoakTown, found: Reckoning) -> None:
    backend, folder = hall.backend, town.directory / "export"
    for slot in compare(backend.work, backend.keys, sorted(town.cards), town.randomness):
        found.expect(slot.agree and not slot.unposted.cents, _told(slot))
        found.cents += slot.spent_on_card.cents
    with backend.work.begin() as unit:
        alarms = Counter(alarm.code for alarm in unit.verdicts.alarms())
        total = sum(unit.ledger.balances().values())
    found.expect(not alarms, f"alarms: {dict(alarms)}")
    found.expect(total == 0, f"the ledger's sum is {total}")
    write_export(backend.work, folder, town.clock.unix_ms() // 1000)
    _verify(audit(folder), found)


def _verify(verdict: Verdict, found: Reckoning) -> None:
    codes = Counter(item.code for item in verdict.findings)
    found.expect(verdict.holds, f"verifier: {dict(codes)}")


def _told(slot: SlotBooks) -> str:
    return f"card {slot.purse}: {slot.balance_on_card}, ledger {slot.held_by_ledger}"


def _types(till: Till) -> Iterator[str]:
    for stored in till.journal.views.entries():
        yield stored.decode().body.type.name.lower()


def _committed(till: Till) -> set[int]:
    """The numbers of its sales, recovered sales and voids."""
    entries = (stored.decode() for stored in till.journal.views.entries())
    return {entry.header.seq for entry in entries if isinstance(entry.body, Committed)}


def lines(path: Path) -> list[str]:
    """What a till's process noted, whole lines only: the last one may have died half-written."""
    return path.read_text().rpartition("\n")[0].split() if path.exists() else []
