"""Recoveries: an older copy of the books was put back, and what that explains of signed heads.

The manifest declares them, and nobody signs a manifest. So one counts only as far as
signatures carry it. When a recovery begins, the operator publishes versions of hotlist and
watermarks above any before, the seconds since 2020: tills sign these into their entries. A
recovery that no till has heard of explains nothing. One that is shown explains documents from
its gap alone: after the last thing that the books know from before it, and before it began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.verifier.export.people import are_two, known_as
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.moments import CLOCK_SLACK_S
from backend.verifier.workbook import Workbook

YEAR_2020 = 1_577_836_800
"""Versions after a recovery go on from the seconds since then."""

_KNOWN = (
    "SELECT coalesce(max(at), 0) FROM (SELECT at FROM known UNION ALL"
    " SELECT received FROM entry UNION ALL SELECT booked_at FROM transfer) WHERE at < ?"
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """One that a till's signature shows. Times in Unix seconds."""

    begun: int
    known: int
    """The last moment before it of which the books still know something."""
    position: int
    """The last transfer of the copy that was put back."""

    @property
    def version(self) -> int:
        """From when it began on, tills are given no version below this one."""
        return self.begun - YEAR_2020

    @property
    def label(self) -> str:
        """The gap and the position, for the report."""
        return f"{_moment(self.known)} – {_moment(self.begun)}, #{self.position}"

    def may_lack(self, at: int) -> bool:
        """Whether a document signed at ``at`` may have been forgotten."""
        return self.known - CLOCK_SLACK_S <= at <= self.begun


class Recoveries:
    """What was declared, and what tills have heard of it; asked after everything was read."""

    def __init__(
        self, declared: Sequence[dict[str, Any]], book: Workbook, findings: Findings
    ) -> None:
        self._declared = declared
        self._book = book
        self._findings = findings
        self._heard = 0
        self._shown: list[Recovery] | None = None

    def hear(self, version: int) -> None:
        """A version that a till has signed, or that a shop's own acknowledgement names."""
        self._heard = max(self._heard, version)

    def know(self, at: int) -> None:
        """The books hold a document of the moment ``at``: a copy from before has it, too."""
        self._book.note("known", at)

    def lacking(self, at: int) -> Recovery | None:
        """The recovery that may have forgotten a document signed at ``at``."""
        return next((one for one in self._all() if one.may_lack(at)), None)

    def lacking_head(self, number: int, at: int) -> Recovery | None:
        """The same for a head: only transfers above the copy's position were forgotten."""
        return next(
            (one for one in self._all() if one.may_lack(at) and number > one.position), None
        )

    def lacking_close(self, number: int, received_at: int | None, heard: int) -> Recovery | None:
        """The same for a head in a till's close, which may be older than the close.

        ``received_at``: when the books got it. What they had before the recovery is whole.
        ``heard``: the highest version that the till had. One that has heard of a recovery
        names no head from before it.
        """
        if received_at is None:
            return None
        return next(
            (
                one
                for one in self._all()
                if heard < one.version and received_at >= one.begun and number > one.position
            ),
            None,
        )

    def check(self) -> None:
        """Who began and ended each; those that nobody shows are counted, and so are the others."""
        for one in self._declared:
            ended = one["ended_at"] is not None
            named = known_as(one["begun_by"]) and (
                not ended or are_two(one["requested_by"], one["approved_by"])
            )
            if not named:
                place = Place("manifest.json", document=f"recovery {_moment(one['begun_at'])}")
                self._findings.add(
                    Law.CONSERVATION, "RECOVERY_WITHOUT_PEOPLE", place,
                    begun=_moment(one["begun_at"]),
                )  # fmt: skip
        shown = self._all()
        for found in shown:
            self._findings.trust("RECOVERY_DECLARED", about=found.label)
        begun = {found.begun for found in shown}
        for one in self._declared:
            if one["begun_at"] not in begun:
                self._findings.trust("RECOVERY_NOT_SHOWN", about=_moment(one["begun_at"]))

    def _all(self) -> list[Recovery]:
        if self._shown is None:
            self._shown = [
                self._recovery(one["begun_at"])
                for one in self._declared
                if YEAR_2020 < one["begun_at"] <= self._heard + YEAR_2020
            ]
        return self._shown

    def _recovery(self, begun: int) -> Recovery:
        known = self._book.ask(_KNOWN, (begun,))[0][0]
        position = self._book.ask(
            "SELECT coalesce(max(id), 0) FROM transfer WHERE booked_at < ?", (begun,)
        )[0][0]
        return Recovery(begun, known, position)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
