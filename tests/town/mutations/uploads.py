"""Defects on the way to the backend and back: laws 7, 8, 10 and 11."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from backend.adapters.tables.journals import EntryRow, QuarantineRow
from backend.services.ingest import batches
from backend.services.ingest.batches import Ingest
from backend.services.terminals import bundles
from backend.services.unit_of_work import Work
from cardlib.wire.ids import Seq
from cardlib.wire.upload import Outcome
from terminal.agent import step
from terminal.agent.loop import Agent
from terminal.agent.step import Trouble
from terminal.journal.acknowledgements import Acknowledgements
from terminal.journal.views import Head
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]


# law 7: nothing is dropped --------------------------------------------------------------------


class _Forgetful:
    """Units of work that are rolled back whatever they say."""

    def __init__(self, work: Any) -> None:
        self._work = work

    @contextmanager
    def begin(self) -> Generator[Any]:
        """As the real one; its commit writes nothing."""
        with self._work.begin() as unit:
            unit.commit = unit.flush
            yield unit


def _acknowledged_first(real: Any, note: Note) -> Any:
    times = [0]

    def defective(self: Ingest, batch: Any, signer: Any) -> bytes:
        times[0] += 1
        if times[0] % 5 or not batch.entries:
            return bytes(real(self, batch, signer))
        note()
        return bytes(real(replace(self, work=cast("Work", _Forgetful(self.work))), batch, signer))

    return defective


def _quarantine_dropped(_real: Any, note: Note) -> Any:
    def defective(_self: Any, upload: Any, reason: str) -> Any:
        note()
        return batches._verdict_of(upload, Outcome.QUARANTINED, reason)

    return defective


def _best_answer(real: Any, note: Note) -> Any:
    def defective(self: Acknowledgements) -> Head:
        last: Head = real(self)
        best = self._db.execute("SELECT max(high_seq) FROM acknowledgements").get
        if not isinstance(best, int) or best <= last.seq:
            return last
        note()
        return Head(Seq(best), self._views.entry(best).hash)

    return defective


def _never_back(real: Any, note: Note) -> Any:
    def defective(state: Any, event: Any) -> Any:
        if event.high < state.cursor:
            note()
            event = replace(event, high=state.sent)
        return real(state, event)

    return defective


def _one_purse(real: Any, note: Note) -> Any:
    def defective(unit: Any, changes: Any, now: int) -> None:
        if len(changes) > 1:
            note()
        real(unit, changes[:1], now)

    return defective


DROPPED = (
    Defect(
        name="acknowledged-first", law=7,
        does="an upload is acknowledged before it is kept, and then not kept",
        sites=(Site(Ingest, "submit", _acknowledged_first),),
    ),
    Defect(
        name="quarantine-dropped", law=7,
        does="what cannot be accepted is answered and not kept",
        sites=(Site(batches._Intake, "_quarantine", _quarantine_dropped),),
        town="rogues",
    ),
    Defect(
        name="best-answer", law=7,
        does="a till does not tell a backend that went back what it has told before",
        sites=(
            Site(Acknowledgements, "uploaded", _best_answer),
            Site(step, "_acknowledged", _never_back),
        ),
        town="restored",
    ),
    Defect(
        name="one-purse", law=7,
        does="of an upload about several purses only the first is posted",
        sites=(Site(batches, "judge_purses", _one_purse),),
    ),
)  # fmt: skip


# law 8: names -------------------------------------------------------------------------------


def _holders_told(real: Any, note: Note) -> Any:
    def defective(unit: Any) -> Any:
        from sqlalchemy import text

        draft = real(unit)
        holders = unit._session.execute(text("SELECT holder FROM award")).scalars().all()
        if not holders:
            return draft
        note()
        named = tuple(replace(one, name=f"{one.name} {holders[-1]}") for one in draft.programmes)
        return replace(draft, programmes=named)

    return defective


TOLD = (
    Defect(
        name="holders-told", law=8,
        does="the tills' bundle names who was given an award",
        sites=(Site(bundles, "_draft", _holders_told),),
    ),
)  # fmt: skip


# law 10: refusals ---------------------------------------------------------------------------


def _quarantine_wordless(real: Any, note: Note) -> Any:
    def defective(self: Any, upload: Any, _reason: str) -> Any:
        note()
        return real(self, upload, "QUARANTINE_3")

    return defective


def _agent_wordless(real: Any, note: Note) -> Any:
    def defective(self: Agent, reader: Any, action: Any) -> Any:
        event = real(self, reader, action)
        if not isinstance(event, Trouble):
            return event
        note()
        return replace(event, code="SYNC_TROUBLE")

    return defective


WORDS = (
    Defect(
        name="quarantine-wordless", law=10,
        does="an entry is kept back for a reason that has no sentence",
        sites=(Site(batches._Intake, "_quarantine", _quarantine_wordless),),
        town="rogues",
    ),
    Defect(
        name="agent-wordless", law=10,
        does="a round of the agent fails with a code that has no sentence",
        sites=(Site(Agent, "_do", _agent_wordless),),
    ),
)  # fmt: skip


# law 11: bytes as received --------------------------------------------------------------------


def _reencoded(real: Any, note: Note) -> Any:
    def defective(self: Any, upload: Any) -> Any:
        verdict = real(self, upload)
        row = self._unit.journals.entry(self._terminal.number, upload.seq)
        assert isinstance(row, EntryRow)
        note()
        row.complete = upload.complete[1:]  # without its tag, as some encoders write it
        return verdict

    return defective


def _quarantine_cut(real: Any, note: Note) -> Any:
    def defective(self: Any, upload: Any, reason: str) -> Any:
        verdict = real(self, upload, reason)
        row = self._unit.journals.quarantined(self._terminal.number, upload.hash)
        assert isinstance(row, QuarantineRow)
        note()
        row.complete = row.complete[:100]
        return verdict

    return defective


def _answer_cut(real: Any, note: Note) -> Any:
    def defective(self: Acknowledgements, complete: bytes, answer: Any) -> None:
        note()
        real(self, complete[:-64], answer)  # the signature was checked: what for, now?

    return defective


BYTES = (
    Defect(
        name="entry-reencoded", law=11,
        does="entries are stored as encoded anew, without the tag",
        sites=(Site(batches._Intake, "_accept", _reencoded),),
    ),
    Defect(
        name="quarantine-cut", law=11,
        does="of what is kept back only the beginning is stored",
        sites=(Site(batches._Intake, "_quarantine", _quarantine_cut),),
        town="rogues",
    ),
    Defect(
        name="answer-cut", law=11,
        does="a till keeps the backend's answers without their signatures",
        sites=(Site(Acknowledgements, "record", _answer_cut),),
    ),
)  # fmt: skip

UPLOADS = (*DROPPED, *TOLD, *WORDS, *BYTES)
