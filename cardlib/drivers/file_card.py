"""The driver for file-system cards: CRS, other CNS cards, the white purse card."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from cardlib.channel import Channel
from cardlib.codec.files import DF_BUONO_FIRST, DF_BUONO_LAST
from cardlib.codec.pin import Pin
from cardlib.codec.pin_pad import verify_blank
from cardlib.codec.purse import Info
from cardlib.dialogues import pin as pin_dialogues
from cardlib.dialogues.purse_state import PurseState
from cardlib.dialogues.read import (
    OpenPurse,
    open_purse,
    read_all_grants,
    read_back,
    read_newest,
    read_wallets,
    state_of,
)
from cardlib.dialogues.sale import CommitOutcome, attest, commit
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import CardGoneError, PresenceError, PurseRefusedError
from cardlib.keys.module import SecurityModule, SpendReading
from cardlib.keys.trust import Trust
from cardlib.wire.entry_body import AttestedRead

T = TypeVar("T")


class FileCard:
    """Implements ``PurseCard`` with the commands of PROTOCOL 2."""

    def __init__(
        self, channel: Channel, module: SecurityModule, trust: Trust, *, training: bool = False
    ) -> None:
        self._channel = channel
        self._module = module
        self._trust = trust
        self._training = training
        self._purse: OpenPurse | None = None
        self._first = self._directory = DF_BUONO_FIRST

    def read(self) -> PurseState:
        """SELECT, INFO, GET CHALLENGE, GIVE RANDOM, newest SPEND, the mapped GRANT records."""
        self._purse = None
        purse, state = self._upward(self._read)
        self._hold(purse)
        return state

    def next_purse(self) -> None:
        """The next directory, if there is one."""
        last = self._directory == DF_BUONO_LAST
        self._first = DF_BUONO_FIRST if last else self._directory + 1

    def read_all_wallets(self) -> PurseState:
        """Reads the remaining grant records in the same session."""
        purse = self._open_purse()
        self._channel.run(read_all_grants(purse))
        return state_of(purse, self._trust)

    def verify_pin(self, pin: Pin) -> None:
        """VERIFY."""
        self._channel.run(pin_dialogues.verify(pin))

    @property
    def pin_pad(self) -> bool:
        """Asks the reader, once."""
        pad = self._channel.pin_pad
        return pad is not None and pad.can_verify

    def verify_pin_on_pad(self) -> None:
        """VERIFY, its digits filled in by the reader."""
        pin_dialogues.check_filled_in(self._channel.fill_in(verify_blank()))

    def debit(self, intent: bytes) -> CommitOutcome:
        """UPDATE RECORD, built by the module from the signed intent."""
        purse = self._open_purse()
        command = purse.session.update_spend(intent)
        return self._channel.run(commit(purse, command))

    def attest(self, index: int = 1) -> AttestedRead:
        """MSE SET K_TC and READ RECORD."""
        return self._channel.run(attest(self._open_purse(), index))

    def read_back(self, below_ctr: int) -> tuple[Info, list[SpendReading]]:
        """SELECT, INFO, GET CHALLENGE, GIVE RANDOM, then EF.SPEND from #1 downwards."""
        self._purse = None
        purse = self._upward(self._open)
        readings = self._channel.run(read_back(purse, below_ctr))
        self._hold(purse)
        return purse.info, readings

    def end(self) -> None:
        """Resets the card; one that is gone, with or without its reader, needs none."""
        self._purse = None
        self._module.rest()
        with suppress(PresenceError):
            self._channel.reset()

    def _upward(self, dialogue: Callable[[], Dialogue[T]]) -> T:
        """Runs it from the chosen directory upward; above the last served one, from the first."""
        try:
            return self._channel.run(dialogue())
        except PurseRefusedError as refused:
            if refused.code != "PURSE_NOT_SERVED" or self._first == DF_BUONO_FIRST:
                raise
        self._first = DF_BUONO_FIRST
        return self._channel.run(dialogue())

    def _hold(self, purse: OpenPurse) -> None:
        """This purse it is, also after a reset."""
        self._purse, self._first, self._directory = purse, purse.directory, purse.directory

    def _open(self) -> Dialogue[OpenPurse]:
        purse = yield from open_purse(self._module, self._first, training=self._training)
        self._directory = purse.directory  # also of a purse that is refused after all
        return purse

    def _read(self) -> Dialogue[tuple[OpenPurse, PurseState]]:
        purse = yield from self._open()
        yield from read_newest(purse)
        yield from read_wallets(purse, self._trust)
        return purse, state_of(purse, self._trust)

    def _open_purse(self) -> OpenPurse:
        if self._purse is None:
            raise CardGoneError
        return self._purse
