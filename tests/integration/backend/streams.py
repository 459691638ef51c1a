"""A seeded stream of what tills may upload: honest, forged, forked, out of order, damaged.

The stream is made first and sent afterwards, so that the same entries can arrive in
uploads of any size.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cardlib.wire.entry_body import GrantSeen
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from cardlib.wire.upload import Acknowledgement
from tests.integration.backend.builders import Chip, Town

Arrival = tuple[int, bytes]
"""The till's place in :attr:`Stream.tills`, and an entry."""


@dataclass
class _Sale:
    chip: Chip
    seq: Seq
    cents: int


class Stream:
    """Four tills of two shops and three cards, one of a chip that cannot attest."""

    def __init__(self, town: Town, seed: int, steps: int = 30) -> None:
        self.town = town
        self.random = random.Random(seed)
        self.tills = [town.till(), town.till(), town.till(town.other_shop), town.till()]
        legacy = town.new_chip(attests=False)
        town.load(legacy, 2000)
        self.cards = [[town.chip_with(3000)], [town.chip_with(900)], [legacy]]
        self.sales: dict[int, _Sale] = {}
        self.twins: dict[int, list[tuple[int, bytes]]] = {who: [] for who in range(4)}
        self.later: list[Callable[[], None]] = []
        for _ in range(steps):
            self._step()
            town.clock.seconds += self.random.randrange(400)

    # --- what happens at the tills ----------------------------------------------------------

    def _step(self) -> None:
        steps = [
            (8, self._sell), (3, self._sell_unproven), (2, self._void), (1, self._park),
            (2, self._deny), (3, self._prove), (1, self._load), (1, self._sign_only),
            (1, self._fork), (2, self._claim), (2, self._invent), (1, self._double),
            (2, self._heartbeat), (1, self._foreign), (2, self._show_grant),
        ]  # fmt: skip
        (step,) = self.random.choices([s for _, s in steps], [w for w, _ in steps])
        step(self.random.randrange(len(self.tills)))

    def _card(self) -> Chip:
        return self.random.choice(self.random.choice(self.cards))

    def _cents(self) -> int:
        return self.random.randrange(1, 700)

    def _sell(self, who: int, *, tc: bool = True) -> None:
        chip, cents = self._card(), self._cents()
        self.sales[who] = _Sale(chip, self.tills[who].sell(chip, cents, tc=tc), cents)

    def _sell_unproven(self, who: int) -> None:
        self._sell(who, tc=False)

    def _void(self, who: int) -> None:
        sale, till = self.sales.pop(who, None), self.tills[who]
        if sale is None:
            return
        newest = sale.chip.newest
        if (newest.terminal, newest.seq) == (till.number, sale.seq - 1):
            till.void(sale.chip, sale.seq, sale.cents, tc=self.random.random() < 0.6)

    def _park(self, who: int) -> None:
        chip, till = self._card(), self.tills[who]
        seq = till.begin(chip, self._cents())
        till.debit(chip, seq)
        till.unresolved(seq)
        if self.random.random() < 0.5:
            till.commit(chip, seq, kind=EntryType.RECOVERED)

    def _deny(self, who: int) -> None:
        """Says that nothing was debited; every other time that is a lie."""
        chip, till = self._card(), self.tills[who]
        seq = till.begin(chip, self._cents())
        record = till.debit(chip, seq)
        if self.random.random() < 0.5:
            chip.records.remove(record)
        till.not_applied(chip, seq)

    def _prove(self, who: int) -> None:
        chip = self._card()
        index = 1 + self.random.randrange(len(chip.records))
        self.tills[who].prove(chip, index, 1, index)

    def _load(self, _who: int) -> None:
        chip = self.random.choice(self.cards)[0]
        if chip.balance() >= 0:
            self.town.load(chip, self._cents())

    def _sign_only(self, _who: int) -> None:
        chip = self.random.choice(self.cards)[0]
        if chip.balance() >= 0:
            row = self.town.sign(chip, self.town.order(chip, self._cents()))
            if self.random.random() < 0.5:
                self.later.append(lambda: self.town.confirm(row))

    def _fork(self, _who: int) -> None:
        branches = self.random.choice(self.cards)
        if len(branches) < 2:
            branches.append(branches[0].twin())

    def _claim(self, who: int) -> None:
        """A sale that no card ever saw."""
        self.tills[who].sell(self._card().twin(), self._cents(), tc=False)

    def _invent(self, who: int) -> None:
        """A predecessor of the till's own making."""
        chip, till = self._card().twin(), self.tills[who]
        till.sell(chip, self._cents(), tc=False)
        till.journal.pop()
        till.sell(chip, self._cents(), tc=False)

    def _double(self, who: int) -> None:
        """Two entries for one place: the till signed two histories."""
        till = self.tills[who]
        journal, head = list(till.journal), till.head
        twin = till.heartbeat()
        till.journal, till.head = journal, head
        self._sell(who)
        self.twins[who].append((len(till.journal), twin))

    def _heartbeat(self, who: int) -> None:
        self.tills[who].heartbeat()

    def _show_grant(self, who: int) -> None:
        """A grant as the till met it, told twice; sometimes one that nobody signed."""
        grant = bytearray(bytes(self._card().grants[1]))
        grant[-1] ^= self.random.random() < 0.4
        for _ in range(2):
            self.tills[who].write(GrantSeen(grant=bytes(grant)))

    def _foreign(self, who: int) -> None:
        """A purse that nobody made."""
        chip = self._card().twin()
        info = type(chip.info)(
            purse=self.random.randbytes(8), issuer=chip.info.issuer, suite=chip.info.suite,
            flags=chip.info.flags, key_set=1, expiry=chip.info.expiry,
        )  # fmt: skip
        chip.info = info
        self.tills[who].sell(chip, self._cents())

    # --- how it arrives ---------------------------------------------------------------------

    def arrivals(self) -> list[list[Arrival]]:
        """Runs of entries of one till each, as they arrive; all of it comes in the end."""
        left = {who: self._told(who) for who in range(len(self.tills))}
        runs: list[list[Arrival]] = []
        again: list[list[Arrival]] = []
        while any(left.values()):
            who = self.random.choice([who for who, entries in left.items() if entries])
            count = self.random.randrange(1, 9)
            run, left[who] = left[who][:count], left[who][count:]
            runs.append([(who, entry) for entry in self._mangled(run)])
            if again and self.random.random() < 0.5:
                runs.append(again.pop(0))
            if self.random.random() < 0.3 or len(runs[-1]) < len(run):
                again.append([(who, entry) for entry in run])
        return [*runs, *again, *([(who, e) for e in self._told(who)] for who in left)]

    def _told(self, who: int) -> list[bytes]:
        """The till's journal, with what it signed twice beside it."""
        told = list(self.tills[who].journal)
        for at, twin in reversed(self.twins[who]):
            told.insert(at, twin)
        return told

    def _mangled(self, run: list[bytes]) -> list[bytes]:
        kind = self.random.random()
        if kind < 0.1:
            return run[1:]  # its first was lost on the way
        if kind < 0.2:
            return self.random.sample(run, len(run))
        if kind < 0.3:
            at = self.random.randrange(len(run))
            spoilt = bytearray(run[at])
            spoilt[self.random.randrange(len(spoilt))] ^= 1 << self.random.randrange(8)
            return [*run[:at], bytes(spoilt), *run[at:]]
        return run

    def send(self, runs: Sequence[Sequence[Arrival]], size: int) -> list[Acknowledgement]:
        """Uploads every run in pieces of at most ``size`` entries; what was answered."""
        answers: list[Acknowledgement] = []
        due = max(len(runs) // 2, 1)
        for number, run in enumerate(runs):
            if number == due:
                for event in self.later:
                    event()
            for at in range(0, len(run), size):
                piece = run[at : at + size]
                answers.append(self.tills[piece[0][0]].upload(*(entry for _, entry in piece)))
            self.town.clock.seconds += 60
        return answers
