"""The demo as a whole: makes or reopens its directory, tells the story, audits the books."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from backend.domain.ledger import AccountKind
from backend.services.export.export import write_export
from backend.verifier.audit import Verdict, audit
from backend.verifier.report import json_object, screen
from backend.verifier.report.texts import Texts
from cardlib.ports import Clock, Randomness
from cardlib.text import catalogue
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.errors import SimulatorError
from simulator.town.demo.cards_and_ledger import SlotBooks, compare
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.readers import PcscReader, ProcessReader, Reader
from simulator.town.demo.shop import Shop
from simulator.town.demo.story import Story
from simulator.town.demo.town_hall import TownHall

PASSPHRASE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Audit:
    """What the books, the cards and the independent verifier say."""

    balances: dict[str, int]
    slots: list[SlotBooks]
    verdict: Verdict

    @property
    def balanced(self) -> bool:
        """Funded money is all there, and every card agrees with the ledger."""
        return sum(self.balances.values()) == 0 and all(item.agree for item in self.slots)

    @property
    def holds(self) -> bool:
        """Whether nothing is off by a cent."""
        return self.balanced and self.verdict.holds


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo in one directory."""

    directory: Path
    clock: Clock
    randomness: Randomness
    narrator: Narrator

    def play(self, *, pcsc: bool) -> Audit:
        """The whole story; SimulatorError ``DEMO_EXISTS`` when the directory is not empty."""
        if self.directory.exists() and any(self.directory.iterdir()):
            raise SimulatorError("DEMO_EXISTS", path=str(self.directory))
        self.directory.mkdir(parents=True, exist_ok=True)
        start = self.clock.monotonic_ms()
        passphrase = self._make_passphrase()
        with ExitStack() as open_parts:
            reader = self._reader(open_parts, pcsc=pcsc)
            hall = open_parts.enter_context(self._hall(passphrase))
            Story(
                self.directory, passphrase, self.clock, self.randomness, reader,
                self.narrator, hall,
            ).tell()  # fmt: skip
            found = self._audit(hall, passphrase)
        seconds = (self.clock.monotonic_ms() - start) / 1000
        self.narrator.say("took", seconds=f"{seconds:.1f}")
        self.narrator.say("kept", path=str(self.directory))
        return found

    def check(self) -> Audit:
        """Exports and audits again what an earlier demo kept; ``DEMO_MISSING`` without one."""
        secret = self.directory / "passphrase"
        if not secret.exists():
            raise SimulatorError("DEMO_MISSING", path=str(self.directory))
        passphrase = secret.read_text("ascii").strip()
        with self._hall(passphrase) as hall:
            return self._audit(hall, passphrase)

    def _with_waiting(self, slots: list[SlotBooks], passphrase: str) -> list[SlotBooks]:
        """The same, with what still waits in the tills' journals."""
        cents: Counter[tuple[PurseId, int]] = Counter()
        for folder in sorted(self.directory.glob("till-*")):
            cents.update(Shop(folder, passphrase, self.clock, self.randomness).waiting())
        return [replace(item, waiting=Money(cents[item.purse, item.slot])) for item in slots]

    def _audit(self, hall: TownHall, passphrase: str) -> Audit:
        self.narrator.scene("scene_books")
        folder = self.directory / "export"
        write_export(hall.backend.work, folder, self.clock.unix_ms() // 1000)
        images = sorted((self.directory / "cards").glob("*.json"))
        cards = [path for path in images if not path.name.endswith(".stock.json")]
        backend = hall.backend
        slots = self._with_waiting(
            compare(backend.work, backend.keys, cards, self.randomness), passphrase
        )
        found = Audit(self._balances(hall), slots, audit(folder))
        self._show(found, folder)
        return found

    def _balances(self, hall: TownHall) -> dict[str, int]:
        """Cents by kind of account; together they are zero."""
        with hall.backend.work.read() as unit:
            accounts = unit.ledger.balances()
        sums: dict[str, int] = {kind.value: 0 for kind in AccountKind}
        for account, cents in accounts.items():
            sums[account.kind.value] += cents
        return sums

    def _show(self, found: Audit, folder: Path) -> None:
        tell, lang = self.narrator, self.narrator.lang
        tell.block(_table(found.balances, lang))
        external = AccountKind.EXTERNAL.value
        held = sum(cents for kind, cents in found.balances.items() if kind != external)
        funded = -found.balances[external]
        key = "books_balanced" if held == funded else "books_off"
        tell.say(key, funded=Money(funded), sum=Money(held))
        for item in found.slots:
            tell.say("card_agrees" if item.agree else "card_differs", **_facts(item))
        tell.block(_verdict_text(found.verdict, lang))
        tell.say("verified" if found.verdict.holds else "disproved", path=str(folder))

    def _make_passphrase(self) -> str:
        passphrase = self.randomness.bytes(PASSPHRASE_BYTES).hex()
        secret = self.directory / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text(passphrase + "\n", "ascii")
        return passphrase

    def _hall(self, passphrase: str) -> TownHall:
        return TownHall(self.directory / "backend", passphrase, self.clock, self.randomness)

    def _reader(self, open_parts: ExitStack, *, pcsc: bool) -> Reader:
        if pcsc:
            return open_parts.enter_context(PcscReader(self.clock, self.randomness))
        return ProcessReader(self.randomness)


def as_json(found: Audit, directory: Path, story: Iterable[str]) -> dict[str, Any]:
    """One object: balances in cents, cards, laws, and the story as told."""
    return {
        "directory": str(directory),
        "holds": found.holds,
        "balances_cents": found.balances,
        "cards": [
            {
                "purse": str(item.purse),
                "slot": item.slot,
                "spent_cents": item.spent_on_card.cents,
                "posted_proven_cents": item.posted_proven.cents,
                "unposted_cents": item.unposted.cents,
                "waiting_cents": item.waiting.cents,
                "balance_cents": item.balance_on_card.cents,
                "ledger_cents": item.held_by_ledger.cents,
            }
            for item in found.slots
        ],
        "audit": json_object.as_json(found.verdict, Texts("en")),
        "story": list(story),
    }


def _facts(item: SlotBooks) -> dict[str, object]:
    return {
        "purse": str(item.purse),
        "slot": item.slot,
        "spent": item.spent_on_card,
        "posted": item.posted_proven,
        "balance": item.balance_on_card,
        "held": item.held_by_ledger,
        "waiting": item.waiting,
    }


def _table(balances: dict[str, int], lang: str) -> str:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for kind, balance in balances.items():
        if balance:
            name = catalogue.label("account", kind, lang)
            cents = -balance if kind == AccountKind.EXTERNAL.value else balance  # what came in
            table.add_row(name, catalogue.money(Money(cents), lang))
    return _printed(table)


def _verdict_text(verdict: Verdict, lang: str) -> str:
    console = Console(width=100, highlight=False, no_color=True)
    with console.capture() as capture:
        screen.show(verdict, Texts(lang), console)
    return capture.get()


def _printed(table: Table) -> str:
    console = Console(width=80, highlight=False, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return capture.get()
