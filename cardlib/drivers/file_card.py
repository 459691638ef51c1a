"""The driver for file-system cards: CRS, other CNS cards, the white purse card."""

from contextlib import suppress

from cardlib.channel import Channel
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
from cardlib.errors import CardGoneError, PresenceError
from cardlib.keys.module import SecurityModule, SpendReading
from cardlib.keys.trust import Trust
from cardlib.wire.entry_body import AttestedRead


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

    def read(self) -> PurseState:
        """SELECT, INFO, GET CHALLENGE, GIVE RANDOM, newest SPEND, the mapped GRANT records."""
        self._purse = None
        purse, state = self._channel.run(self._read())
        self._purse = purse
        return state

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
        purse = self._channel.run(open_purse(self._module, training=self._training))
        readings = self._channel.run(read_back(purse, below_ctr))
        self._purse = purse
        return purse.info, readings

    def end(self) -> None:
        """Resets the card; one that is gone, with or without its reader, needs none."""
        self._purse = None
        self._module.rest()
        with suppress(PresenceError):
            self._channel.reset()

    def _read(self) -> Dialogue[tuple[OpenPurse, PurseState]]:
        purse = yield from open_purse(self._module, training=self._training)
        yield from read_newest(purse)
        yield from read_wallets(purse, self._trust)
        return purse, state_of(purse, self._trust)

    def _open_purse(self) -> OpenPurse:
        if self._purse is None:
            raise CardGoneError
        return self._purse
