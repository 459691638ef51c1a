"""Card sessions: the backend drives a card at the far end of HTTP (PROTOCOL 2 and 6).

A station relays one volley a step. Sessions are bound to station, purse and order;
one is active per purse; each step is one transaction, idempotent on (session, step,
hash of the answers), and stands on what is stored: a backend killed at any moment
loses nothing, and no step ever decides twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography import x509

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.adapters.tables.verdicts import CaseRow
from backend.adapters.unit_of_work import Unit
from backend.errors import (
    BackendError,
    BadInputError,
    ConflictError,
    KeyStoreError,
    LedgerError,
    NotPermittedError,
)
from backend.services.alarms import raise_alarm
from backend.services.card_sessions.desk import Desk, Done
from backend.services.card_sessions.key_set_change import KeyChangeDesk
from backend.services.card_sessions.live import LiveDialogue, LiveDialogues
from backend.services.card_sessions.load import LoadDesk
from backend.services.card_sessions.personalise import PersonaliseDesk, PinLetters
from backend.services.card_sessions.pin_reset import PinResetDesk
from backend.services.card_sessions.replay import Finished, Replay, SessionRandomness
from backend.services.unit_of_work import Work
from cardlib.errors import CardlibError
from cardlib.ports import Clock, Randomness
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from cardlib.wire.ids import PurseId

TIME_TO_LIVE_S = 120
"""From one step to the next; afterwards another station may begin with the purse."""
STEPS_MAX = 64
SEED_SIZE = 32
PURPOSES = ("load", "void", "personalise", "renew", "pin")
ALARMING = frozenset(
    {
        "CARD_ABOVE_LEDGER", "CARD_MAC_BAD", "CARD_READ_BACK_DIFFERS", "PURSE_ROLLED_BACK",
        "GRANT_TWICE", "GRANT_UNKNOWN", "GRANT_WAS_VOID", "PURSE_BELOW_GRANT",
        "PURSE_INFO_DIFFERS", "TRANSPORT_KEY_WRONG", "PIN_RESET_TOO_OFTEN",
    }
)  # fmt: skip
"""Codes that a person must look at."""
CASES = frozenset(
    {
        "CARD_ABOVE_LEDGER", "PURSE_ROLLED_BACK", "GRANT_TWICE", "GRANT_UNKNOWN",
        "GRANT_WAS_VOID", "ORDER_OUTRUN", "PURSE_BELOW_GRANT",
    }
)  # fmt: skip
"""Codes after which only a person can go on with this purse."""


@dataclass(frozen=True, slots=True)
class CardSessions:
    """The use case; ``authorities`` are the CAs whose CRS cards are trusted.

    ``dialogues``: what this process has in hand; without it every step is a replay.
    """

    work: Work
    keys: KeyStore
    clock: Clock
    randomness: Randomness
    letters: PinLetters
    authorities: Sequence[x509.Certificate] = ()
    dialogues: LiveDialogues = field(default_factory=LiveDialogues)

    def open(self, terminal: int, opening: SessionOpening) -> SessionCommands:
        """A new session of ``terminal``, with the first commands.

        BadInputError for an unknown purpose; UnknownError when the reference of a
        personalisation or a void names nothing.
        """
        if opening.purpose not in PURPOSES:
            raise BadInputError("CARD_SESSION_PURPOSE", purpose=opening.purpose)
        now = self._now()
        row = CardSessionRow(
            id=self.randomness.bytes(16).hex(), terminal=terminal, purpose=opening.purpose,
            reference=opening.reference, state="active", step=1,
            seed=self.randomness.bytes(SEED_SIZE), created_at=now, expires_at=now + TIME_TO_LIVE_S,
        )  # fmt: skip
        with self.work.begin() as unit:
            live = self._replay(self._desk(unit, row, now), row, [])
            unit.add(row)
            unit.commit()
        self.dialogues.keep(row, [], live, now)
        return _commands(row, live)

    def step(self, terminal: int, session: str, answers: SessionAnswers) -> SessionCommands:
        """Takes the answers of a step and gives the next one, or the outcome.

        The same answers again get the same commands again. NotPermittedError for
        another station's session; ConflictError ``CARD_SESSION_STEP_DIFFERS``,
        ``CARD_SESSION_OVER``, ``CARD_SESSION_EXPIRED``. What goes wrong with the card
        or is refused is no error here: it ends the session, with its code as outcome.
        """
        now = self._now()
        with self.work.begin() as unit:
            row = unit.cards.card_session(session)
            steps = list(unit.cards.session_steps(session))
            known = _known_reply(row, steps, terminal, answers)
            if known is not None:
                return known
            if now > row.expires_at:
                row.state, row.outcome = "expired", "CARD_SESSION_EXPIRED"
                unit.commit()
                raise ConflictError("CARD_SESSION_EXPIRED")
            live = self._resume(unit, row, steps, now)
            reply = _advance(unit, row, live, answers, now)
            steps.append(_step_row(row, answers, reply, now))
            unit.add(steps[-1])
            unit.commit()
        if row.state == "active":
            self.dialogues.keep(row, steps, live, now)
        return reply

    def _resume(
        self, unit: Unit, row: CardSessionRow, steps: Sequence[CardSessionStepRow], now: int
    ) -> LiveDialogue:
        """The dialogue where the stored answers end: the one in hand, else a replay."""
        live = self.dialogues.take(row, steps)
        if live is None:
            live = self._replay(self._desk(unit, row, now), row, steps)
        else:
            _require_open(unit, row)
            live.desk.move_to(unit, row, now)
        live.desk.replaying = False
        return live

    def _desk(self, unit: Unit, row: CardSessionRow, now: int) -> Desk:
        """NotPermittedError ``CARD_SESSION_STATION_CLOSED`` for a lost or closed station."""
        _require_open(unit, row)
        if row.purpose == "personalise":
            return PersonaliseDesk(
                unit, row, self.keys, now, self.randomness, self.letters, self.authorities
            )
        if row.purpose == "renew":
            return KeyChangeDesk(unit, row, self.keys, now, self.randomness)
        if row.purpose == "pin":
            return PinResetDesk(unit, row, self.keys, now, self.randomness, self.letters)
        return LoadDesk(unit, row, self.keys, now)

    @staticmethod
    def _replay(
        desk: Desk, row: CardSessionRow, steps: Sequence[CardSessionStepRow]
    ) -> LiveDialogue:
        answered = [SessionAnswers.decode(step.answers).answers for step in steps]
        return LiveDialogue(desk, Replay(desk.dialogue(SessionRandomness(row.seed)), answered))

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def _require_open(unit: Unit, row: CardSessionRow) -> None:
    if unit.terminals.terminal(row.terminal).state != "active":
        raise NotPermittedError("CARD_SESSION_STATION_CLOSED")


def _known_reply(
    row: CardSessionRow,
    steps: Sequence[CardSessionStepRow],
    terminal: int,
    answers: SessionAnswers,
) -> SessionCommands | None:
    """What was answered to the same step before; raises unless the step may be taken now."""
    if row.terminal != terminal:
        raise NotPermittedError("CARD_SESSION_OTHER_STATION")
    if 1 <= answers.step <= len(steps):
        stored = steps[answers.step - 1]
        if stored.answers_hash != _hash(answers):
            raise ConflictError("CARD_SESSION_STEP_DIFFERS", step=answers.step)
        return SessionCommands.decode(stored.reply)
    if row.state != "active":
        raise ConflictError("CARD_SESSION_OVER")
    if answers.step != row.step:
        raise ConflictError("CARD_SESSION_STEP_DIFFERS", step=answers.step)
    return None


def _advance(
    unit: Unit, row: CardSessionRow, live: LiveDialogue, answers: SessionAnswers, now: int
) -> SessionCommands:
    row.expires_at = now + TIME_TO_LIVE_S
    try:
        finished = live.replay.answer(answers.answers)
        done = None if finished is None else _finish(live.desk, finished)
    except (LedgerError, KeyStoreError):
        raise  # ours to mend: nothing of this step is kept
    except (CardlibError, BackendError) as error:
        _note_failure(unit, row, error, now)
        return _end(unit, row, "failed", Done(error.code, 0))
    if done is not None:
        return _end(unit, row, "done", done)
    if row.step >= STEPS_MAX:
        return _end(unit, row, "failed", Done("CARD_SESSION_ENDLESS", 0))
    row.step += 1
    return _commands(row, live)


def _finish(desk: Desk, finished: Finished[object]) -> Done:
    return desk.finish(finished.result)


def _end(unit: Unit, row: CardSessionRow, state: str, done: Done) -> SessionCommands:
    row.state, row.outcome = state, done.code
    if row.purpose == "pin":
        row.plan, row.seed = None, b""  # a PIN stays in its letter only
    purse = ""
    if row.purse_id is not None:
        found = unit.cards.purse_by_id(row.purse_id)
        purse = str(PurseId(found.municipality.issuer, found.number))
    return SessionCommands(row.id, row.step + 1, (), done.code, done.cents, purse)


def _commands(row: CardSessionRow, live: LiveDialogue) -> SessionCommands:
    return SessionCommands(row.id, row.step, tuple(bytes(item) for item in live.replay.volley))


def _hash(answers: SessionAnswers) -> bytes:
    return sha256(answers.encode()).digest()


def _step_row(
    row: CardSessionRow, answers: SessionAnswers, reply: SessionCommands, now: int
) -> CardSessionStepRow:
    return CardSessionStepRow(
        session_id=row.id, step=answers.step, answers_hash=_hash(answers),
        answers=answers.encode(), reply=reply.encode(), at=now,
    )  # fmt: skip


def _note_failure(
    unit: Unit, row: CardSessionRow, error: CardlibError | BackendError, now: int
) -> None:
    """An alarm, and a case, where a person must look."""
    purse = None if row.purse_id is None else unit.cards.purse_by_id(row.purse_id)
    if error.code in ALARMING:
        ref = f"session:{row.id}"
        raise_alarm(unit, error.code, ref, now, purse=purse, terminal=row.terminal, **error.facts)
    if error.code in CASES and not _has_open_case(unit, row, error.code):
        unit.add(CaseRow(code=error.code, purse_id=row.purse_id, state="open", opened_at=now))


def _has_open_case(unit: Unit, row: CardSessionRow, code: str) -> bool:
    return any(
        case.code == code and case.purse_id == row.purse_id and case.state == "open"
        for case in unit.verdicts.cases()
    )
