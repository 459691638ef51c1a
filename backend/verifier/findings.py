"""What an audit found: breaches with law, code and place, and what it had to take on trust."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from backend.verifier.workbook import Workbook

KEPT_PER_CODE = 25
"""Findings of one code that are told in full; the rest is only counted."""


class Law(IntEnum):
    """The laws that an export lets anybody judge; EXPORT stands for the files themselves."""

    EXPORT = 0
    CONSERVATION = 1
    GRANTED = 3
    CHAINED = 5
    ONCE = 6


CAUSES_FIRST = (Law.EXPORT, Law.CHAINED, Law.GRANTED, Law.ONCE, Law.CONSERVATION)
"""Whoever changes an entry breaks its signature first, and the sums by what follows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: the file and its line, counted from 1, and the document it is about."""

    file: str
    line: int | None = None
    terminal: int | None = None
    seq: int | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach. ``code`` has its sentences in the catalogue; ``facts`` fill them in."""

    law: Law
    code: str
    place: Place
    facts: Mapping[str, str | int] = field(default_factory=dict)


class Findings:
    """Collects breaches; counts all, keeps the first of each code."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self.counts: Counter[tuple[Law, str]] = Counter()
        self.trusted: Counter[str] = Counter()
        """Things that the export cannot prove, by code, with how often."""
        self.about: dict[str, Counter[str]] = {}
        """Of some of these, by code: what they are about (a terminal, a time), with how often."""

    def add(self, law: Law, code: str, place: Place, **facts: str | int) -> None:
        """Notes a breach of ``law``."""
        self.counts[law, code] += 1
        if self.counts[law, code] <= KEPT_PER_CODE:
            self._kept.append(Finding(law, code, place, facts))

    def once(self, book: Workbook, what: str, number: str, place: Place) -> bool:
        """Whether ``number`` is the first of its kind; the second is a breach of law 6."""
        before = book.first_use(what, number, place.line or 0)
        if before is not None:
            self.add(Law.ONCE, "NUMBER_TWICE", place, what=what, id=number, before=before)
        return before is None

    def trust(self, code: str, times: int = 1, about: str | None = None) -> None:
        """Notes that ``times`` facts, all ``about`` one thing, rest on the exporter's word."""
        self.trusted[code] += times
        if about is not None:
            self.about.setdefault(code, Counter())[about] += times

    def __iter__(self) -> Iterator[Finding]:
        """Causes before what may follow from them."""
        return iter(sorted(self._kept, key=lambda finding: CAUSES_FIRST.index(finding.law)))

    def __len__(self) -> int:
        return self.counts.total()

    def breaks(self, law: Law) -> int:
        """How many breaches of ``law`` were found."""
        return sum(count for (broken, _), count in self.counts.items() if broken == law)

    def untold(self) -> dict[str, int]:
        """How many findings of a code are counted but not kept."""
        return {
            code: count - KEPT_PER_CODE
            for (_, code), count in self.counts.items()
            if count > KEPT_PER_CODE
        }
