"""After the database was put back from an older copy: what must wait, and what comes back.

Tills upload again what the copy does not know; until they all have, the books are too old
to sign a load or a payment on. Numbers that may have been given out since the copy was made
are not given out again (docs/adr/0020).
What signed evidence brings back is in ``backend.services.recovery.forgotten``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.recovery import ReadmissionRow, RecoveryRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.domain.people import check_person, check_two_people
from backend.domain.states import TerminalState
from backend.errors import ConflictError, UnknownError
from backend.services.terminals.bundles import publish_bundle
from backend.services.unit_of_work import Work
from cardlib.codec.purse import U24_MAX
from cardlib.ports import Clock
from cardlib.wire.enrolment import Certificate

GRANTS_SKIPPED = 10_000
"""Grant numbers of each purse: nobody loads one card so often between two copies."""
TERMINALS_SKIPPED = 1_000
"""Terminal numbers."""
YEAR_2020 = 1_577_836_800
"""Versions of bundles go on from the seconds since then: there was never one a second."""


@dataclass(frozen=True, slots=True)
class RecoveryOffice:
    """The use cases."""

    work: Work
    keys: KeyStore
    clock: Clock

    def begin(self, by: str) -> int:
        """Declares that an older copy was put back; the recovery's id.

        ConflictError ``RECOVERY_OPEN``. To be done before terminals reach the service.
        """
        check_person(by)
        now = self._now()
        with self.work.begin() as unit:
            if unit.recoveries.open() is not None:
                raise ConflictError("RECOVERY_OPEN")
            row = RecoveryRow(
                begun_at=now, begun_by=by,
                terminals_above=unit.terminals.next_number() - 1 + TERMINALS_SKIPPED,
            )  # fmt: skip
            unit.add(row)
            for purse in unit.cards.purses():
                purse.grant_seq_high = min(purse.grant_seq_high + GRANTS_SKIPPED, U24_MAX)
            publish_bundle(unit, self.keys, now, least_version=now - YEAR_2020)
            unit.commit()
            return row.id

    def waiting(self) -> list[int]:
        """Terminals that have not uploaded everything again; ConflictError ``RECOVERY_NONE``."""
        with self.work.read() as unit:
            return _waiting(unit, _open(unit))

    def readmit(self, certificate: bytes, *, act: str, requested_by: str, approved_by: str) -> int:
        """A terminal that the copy has forgotten, by the certificate it holds; its number.

        Two people see to it that the till is in the shop's hands: the copy may also have
        forgotten that it was lost. Again changes nothing. NotPermittedError ``SAME_PERSON``;
        AuthenticityError when the operator did not sign it; ConflictError ``RECOVERY_NONE``,
        ``TERMINAL_NUMBER_TAKEN``; UnknownError ``MERCHANT_UNKNOWN`` unless its merchant is
        here under the same number and name.
        """
        check_two_people(requested_by, approved_by)
        said = Certificate.open(certificate, self.keys.operator_key().public)
        with self.work.begin() as unit:
            recovery = _open(unit)
            known = unit.terminals.find(said.terminal)
            if known is not None and known.public_key == said.public_key.raw:
                return said.terminal
            if known is not None:
                raise ConflictError("TERMINAL_NUMBER_TAKEN", terminal=said.terminal)
            if unit.terminals.merchant(said.merchant).name != said.merchant_name:
                raise UnknownError("MERCHANT_UNKNOWN", merchant=said.merchant)
            row = TerminalRow(
                number=said.terminal, merchant_id=said.merchant, certificate=certificate,
                public_key=said.public_key.raw, training=said.training,
                enrolled_at=said.issued_at, high_hash=sha256(certificate).digest(),
            )  # fmt: skip
            unit.add(row)
            unit.add(
                ReadmissionRow(
                    terminal=said.terminal, recovery_id=recovery.id, act=act,
                    requested_by=requested_by, approved_by=approved_by, readmitted_at=self._now(),
                )
            )  # fmt: skip
            unit.commit()
        return said.terminal

    def end(
        self, *, requested_by: str, approved_by: str, act: str, without: Collection[int] = ()
    ) -> None:
        """Loads and payments go on. The two have compared payments with the bank's statements.

        ConflictError ``RECOVERY_WAITS`` for terminals that are neither here nor in
        ``without``; NotPermittedError ``SAME_PERSON``; ConflictError ``RECOVERY_NONE``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = _open(unit)
            missing = _waiting(unit, row)
            if not set(missing) <= set(without):
                listed = ", ".join(str(number) for number in missing if number not in without)
                raise ConflictError("RECOVERY_WAITS", terminals=listed)
            row.ended_at, row.act = self._now(), act
            row.requested_by, row.approved_by = requested_by, approved_by
            row.without = ",".join(map(str, missing))
            unit.commit()

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def require_whole(unit: Unit) -> None:
    """ConflictError ``BACKEND_IN_RECOVERY`` while the books may be older than what was signed."""
    if unit.recoveries.open() is not None:
        raise ConflictError("BACKEND_IN_RECOVERY")


def next_terminal(unit: Unit) -> int:
    """The number of the next enrolment, above any that a restored copy has forgotten."""
    newest = unit.recoveries.newest()
    above = 0 if newest is None else newest.terminals_above
    return max(unit.terminals.next_number(), above + 1)


def _open(unit: Unit) -> RecoveryRow:
    row = unit.recoveries.open()
    if row is None:
        raise ConflictError("RECOVERY_NONE")
    return row


def _waiting(unit: Unit, row: RecoveryRow) -> list[int]:
    """Active terminals without a contiguous journal up to something newer than the recovery."""
    return [
        terminal.number
        for terminal in unit.terminals.all()
        if terminal.state == TerminalState.ACTIVE and terminal.mark < row.begun_at
    ]
