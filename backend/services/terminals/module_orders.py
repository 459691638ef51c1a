"""What a module card may debit before it is heard of again, and its keys.

Limits are cumulative: what the terminal's accepted journal has announced, or what the
module says it has debited where that is less, plus one allowance. An order that the till
keeps back, repeats or hoards is worth no more than the newest one.
"""

from dataclasses import dataclass

from backend.adapters.key_store import KeyStore
from backend.adapters.unit_of_work import Unit
from backend.domain.states import TerminalState
from backend.errors import NotGenuineError, NotPermittedError
from backend.services.unit_of_work import Work
from cardlib.errors import AuthenticityError
from cardlib.ports import Clock
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_order import ModuleOrder, ModuleState


@dataclass(frozen=True, slots=True)
class ModuleAllowance:
    """Debits and cents until the next order, and a ceiling for one debit (0: none)."""

    debits: int
    cents: int
    ceiling: int = 0


ALLOWANCE = ModuleAllowance(debits=1_000, cents=20_000_00)
"""Until a town sets its own; far above what a software module's shop sells in a day."""


@dataclass(frozen=True, slots=True)
class ModuleOffice:
    """The use cases."""

    work: Work
    keys: KeyStore
    clock: Clock

    def answer(self, complete: bytes, terminal: TerminalNumber) -> bytes:
        """The order for a module that says how far it is (a ModuleState, signed by it).

        NotGenuineError ``MODULE_STATE_OTHER`` for another terminal's; NotPermittedError
        for a terminal that is lost or closed.
        """
        with self.work.read() as unit:
            row = unit.terminals.terminal(terminal)
            state = _state_of(complete, PublicKey(row.public_key))
            if state.terminal != terminal:
                raise NotGenuineError("MODULE_STATE_OTHER")
            return self._order(unit, terminal, state)

    def order(self, terminal: TerminalNumber, allowance: ModuleAllowance | None = None) -> bytes:
        """An order to be carried by hand: what the accepted journal says, plus ``allowance``
        (else the usual one).

        UnknownError ``TERMINAL_UNKNOWN``; NotPermittedError for one that is lost or closed.
        """
        with self.work.read() as unit:
            return self._order(unit, terminal, None, allowance)

    def _order(
        self, unit: Unit, terminal: TerminalNumber, state: ModuleState | None,
        allowance: ModuleAllowance | None = None,
    ) -> bytes:  # fmt: skip
        row = unit.terminals.terminal(terminal)
        if row.state != TerminalState.ACTIVE:
            raise NotPermittedError("CARD_SESSION_STATION_CLOSED")
        may = allowance or ALLOWANCE
        debits, cents = unit.journals.announced(terminal)
        number = self.clock.unix_ms()
        if state is not None:
            debits, cents = min(debits, state.debits), min(cents, state.cents)
            number = max(number, state.order + 1)
        return ModuleOrder(
            module=PublicKey(row.public_key), number=number,
            debits_max=debits + may.debits, cents_max=cents + may.cents,
            ceiling=may.ceiling,
        ).sign(self.keys.operator_key())  # fmt: skip


def first_order(keys: KeyStore, module: PublicKey, sealed_keys: bytes, now_ms: int) -> bytes:
    """The order that comes with the enrolment: the module's keys, and its first allowance."""
    return ModuleOrder(
        module=module, number=now_ms, debits_max=ALLOWANCE.debits, cents_max=ALLOWANCE.cents,
        ceiling=ALLOWANCE.ceiling, sealed_keys=sealed_keys,
    ).sign(keys.operator_key())  # fmt: skip


def _state_of(complete: bytes, module: PublicKey) -> ModuleState:
    try:
        return ModuleState.open(complete, module)
    except AuthenticityError as error:
        raise NotGenuineError("MODULE_STATE_OTHER") from error
