"""Cases that people closed: their transfers belong to the document that the case is about.

That a person decided rightly is trusted. What is checked: the money of a case only goes
where its document then says that it is; what a wallet lacked is borne at most once, by the
fund or as a loss, and no longer than until a void has given it back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backend.verifier.export.reader import Export
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.ledger import Ledger, Transfer

_BEARERS = ("fund", "loss")


@dataclass(slots=True)
class _Decided:
    """What cases moved of one document's money, and who bears what its wallet lacked."""

    moved: list[Transfer] = field(default_factory=list)
    covered: bool = False
    borne: int = 0
    given_up: int = 0
    place: Place | None = None
    judged: bool = False
    """Whether a posting or a record has asked for it."""


class Decisions:
    """The transfers of cases, by the document (entry or record) that each case is about."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self._ledger = ledger
        self._findings = findings
        self._of: defaultdict[str, _Decided] = defaultdict(_Decided)

    def read(self, export: Export) -> None:
        """Reads cases.jsonl."""
        for row in export.rows("cases.jsonl"):
            decided = self._of[row["document"] or row["entry"] or f"case {row['case']}"]
            transfers = self._ledger.of("case", row["case"])
            covers = [t for t in transfers if t.source.kind in _BEARERS]
            undone = [t for t in transfers if t.target.kind in _BEARERS]
            decided.moved += [t for t in transfers if t not in covers and t not in undone]
            decided.covered = decided.covered or bool(covers or undone)
            decided.borne += sum(t.cents for t in covers) - sum(t.cents for t in undone)
            decided.given_up += sum(t.cents for t in undone)
            decided.place = row.place(f"case {row['case']}")

    def of(self, document: str) -> list[Transfer]:
        """What people moved of a document's money; the caller compares it with the document."""
        if document not in self._of:
            return []
        self._of[document].judged = True
        return self._of[document].moved

    def bear(self, document: str, transfers: Iterable[Transfer]) -> None:
        """Takes from what is borne for ``document`` what exposure lent it by ``transfers``."""
        if document in self._of and self._of[document].covered:
            self._of[document].borne -= _lent(transfers)

    def give_up(self, document: str, void: Sequence[Transfer]) -> None:
        """What a void of ``document`` gives back to exposure nobody needs to bear any more."""
        self.bear(document, void)
        if document in self._of:
            returned = (item.cents for item in void if item.target.kind == "exposure")
            self._of[document].given_up -= sum(returned)

    def check(self) -> None:
        """What moved for no document, and what is borne beyond what exposure had lent.

        After every document was judged.
        """
        for document, decided in self._of.items():
            if decided.moved and not decided.judged and decided.place is not None:
                self._findings.add(
                    Law.CONSERVATION, "CASE_WITHOUT_DOCUMENT", decided.place, document=document,
                    transfers=", ".join(str(transfer.id) for transfer in decided.moved),
                )  # fmt: skip
            for code, cents in (
                ("CASE_COVERS_TOO_MUCH", decided.borne),
                ("COVER_UNDONE_TOO_MUCH", decided.given_up),
            ):
                if cents > 0 and decided.place is not None:
                    self._findings.add(
                        Law.CONSERVATION, code, decided.place, document=document, cents=cents
                    )


def _lent(transfers: Iterable[Transfer]) -> int:
    return sum(
        item.cents if item.source.kind == "exposure" else -item.cents
        for item in transfers
        if "exposure" in (item.source.kind, item.target.kind)
    )
