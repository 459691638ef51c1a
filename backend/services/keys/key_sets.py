"""A new key set: announced to the tills, held by all of them, then put onto the cards.

A till without the new M_DEBIT could not serve a changed card. So no card changes before
every active terminal has said, under its own signature, that its module holds the key. A
terminal that is silent for good is recorded as lost or closed, or named as an exception
by the person who begins.
"""

from collections.abc import Collection
from dataclasses import dataclass

from nacl.public import PublicKey as BoxKey
from nacl.public import SealedBox

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.key_sets import KeySetHolderRow, KeySetRow
from backend.adapters.tables.programmes import MunicipalityRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.domain.issuers import issuer_code
from backend.domain.people import check_person, check_two_people
from backend.domain.states import PurseState, TerminalState
from backend.errors import ConflictError, NotPermittedError, UnknownError
from backend.services.alarms import raise_alarm
from backend.services.unit_of_work import Work
from cardlib.codec.purse import Info
from cardlib.ports import Clock
from cardlib.wire.enrolment import DebitMaster, ModuleKeys
from cardlib.wire.ids import TRAINING_ISSUER, TerminalNumber
from cardlib.wire.module_keys import KeyAnswer, KeyRequest

KEY_SET_MAX = 255


@dataclass(frozen=True, slots=True)
class KeySetStatus:
    """How far a key set is: tills by number, purses by count."""

    number: int
    begun: bool
    holding: tuple[int, ...]
    missing: tuple[int, ...]
    purses_changed: int
    purses_waiting: int


@dataclass(frozen=True, slots=True)
class KeySetOffice:
    """The use cases; ``by`` names the person who acts."""

    work: Work
    keys: KeyStore
    clock: Clock

    def announce(self, issuer: str, by: str) -> int:
        """Makes the next key set's masters and tells the tills with the bundle; its number.

        ConflictError ``KEY_SET_PENDING`` while an announced one is not begun, ``KEY_SET_LAST``
        after number 255.
        """
        check_person(by)
        with self.work.begin() as unit:
            town = unit.programmes.municipality(issuer_code(issuer))
            if any(row.begun_at is None for row in unit.key_sets.of(town.id)):
                raise ConflictError("KEY_SET_PENDING")
            number = town.key_set + 1
            if number > KEY_SET_MAX:
                raise ConflictError("KEY_SET_LAST")
            if not self.keys.has_masters(town.issuer, number):
                self.keys.create_masters(town.issuer, number)
            unit.add(
                KeySetRow(
                    municipality_id=town.id, number=number, announced_at=self._now(),
                    announced_by=by,
                )
            )  # fmt: skip
            unit.commit()
        return number

    def begin(self, issuer: str, by: str, without: Collection[int] = ()) -> int:
        """From now on cards change to the announced key set; its number.

        ``without``: terminals that need not hold it. UnknownError ``KEY_SET_NOT_ANNOUNCED``;
        NotPermittedError ``SAME_PERSON``; ConflictError ``KEY_SET_NOT_HELD`` names the first
        terminal that lacks it.
        """
        with self.work.begin() as unit:
            town = unit.programmes.municipality(issuer_code(issuer))
            row = unit.key_sets.find(town.id, town.key_set + 1)
            if row is None:
                raise UnknownError("KEY_SET_NOT_ANNOUNCED")
            check_two_people(row.announced_by, by)
            missing = _missing(unit, town, row.number) - set(without)
            if missing:
                raise ConflictError("KEY_SET_NOT_HELD", terminal=min(missing))
            row.begun_at, row.begun_by = self._now(), by
            town.key_set = row.number
            unit.commit()
            return row.number

    def status(self, issuer: str) -> tuple[KeySetStatus, ...]:
        """Every key set after the first, oldest first."""
        with self.work.read() as unit:
            town = unit.programmes.municipality(issuer_code(issuer))
            sets = [
                Info.from_core(purse.info_core).key_set
                for purse in unit.cards.purses()
                if purse.municipality_id == town.id and purse.state == PurseState.ACTIVE
            ]
            return tuple(
                KeySetStatus(
                    number=row.number,
                    begun=row.begun_at is not None,
                    holding=tuple(sorted(unit.key_sets.holders(town.id, row.number))),
                    missing=tuple(sorted(_missing(unit, town, row.number))),
                    purses_changed=sum(number >= row.number for number in sets),
                    purses_waiting=sum(number < row.number for number in sets),
                )
                for row in unit.key_sets.of(town.id)
            )

    def hand_out(self, request: KeyRequest, terminal: TerminalNumber) -> bytes:
        """Keys for an active terminal, sealed and signed; notes what it holds already.

        NotPermittedError ``CARD_SESSION_STATION_CLOSED`` for a lost or closed one,
        ``TERMINAL_BOX_OTHER``, with an alarm, for keys wanted outside its module.
        """
        with self.work.begin() as unit:
            row = unit.terminals.terminal(terminal)
            if row.state != TerminalState.ACTIVE:
                raise NotPermittedError("CARD_SESSION_STATION_CLOSED")
            if not _is_own_box(row, request.box_key):
                self._alarm(unit, terminal)
                raise NotPermittedError("TERMINAL_BOX_OTHER")
            for issuer, number in request.held:
                self._note(unit, terminal, issuer, number)
            keys = module_keys(unit, self.keys, training=row.training)
            unit.commit()
        sealed = SealedBox(BoxKey(request.box_key)).encrypt(keys.encode())
        return KeyAnswer(terminal, sealed).sign(self.keys.operator_key())

    def _note(self, unit: Unit, terminal: int, issuer: bytes, number: int) -> None:
        town = unit.programmes.find_municipality(issuer)
        if town is None or unit.key_sets.find(town.id, number) is None:
            return
        if terminal not in unit.key_sets.holders(town.id, number):
            unit.add(
                KeySetHolderRow(
                    municipality_id=town.id, number=number, terminal=terminal,
                    told_at=self._now(),
                )
            )  # fmt: skip

    def _alarm(self, unit: Unit, terminal: int) -> None:
        ref = f"terminal {terminal}"
        raise_alarm(unit, "TERMINAL_BOX_OTHER", ref, self._now(), terminal=terminal)
        unit.commit()

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def module_keys(unit: Unit, keys: KeyStore, *, training: bool) -> ModuleKeys:
    """M_DEBIT of every key set in use or announced; training and live never mix."""
    masters = [
        DebitMaster(town.issuer, number, keys.masters(town.issuer, number).debit)
        for town in unit.programmes.municipalities()
        if (town.issuer == TRAINING_ISSUER) == training
        for number in _numbers(unit, town)
        if keys.has_masters(town.issuer, number)
    ]
    return ModuleKeys(tuple(masters))


def _is_own_box(row: TerminalRow, box_key: bytes) -> bool:
    """Whether the keys stay where the enrolment brought them: its box is the module's.

    Who may sign requests with a module card could otherwise have its masters in clear, and
    debit without its quotas.
    """
    if row.box_key is None:
        row.box_key = box_key
    return row.box_key == box_key


def _numbers(unit: Unit, town: MunicipalityRow) -> list[int]:
    """Every key set that a card of this town may have or get."""
    announced = [row.number for row in unit.key_sets.of(town.id)]
    first = min(announced, default=town.key_set + 1) - 1
    return [first, *announced]


def _missing(unit: Unit, town: MunicipalityRow, number: int) -> set[int]:
    """Active terminals of the issuer's kind that have not said that they hold the key set."""
    training = town.issuer == TRAINING_ISSUER
    active = {
        row.number
        for row in unit.terminals.all()
        if row.state == TerminalState.ACTIVE and row.training == training
    }
    return active - unit.key_sets.holders(town.id, number)
