"""The driver for file cards of either age: EF.INFO says whether the chip is a legacy one.

A legacy chip has one answer key and forgets its challenge with every read. Its purse says so
with flag 40 clear, in the second command of every read; a card that can attest is handled as
:class:`FileCard` does, command by command.
"""

from cardlib.channel import Channel
from cardlib.codec.purse import Info
from cardlib.dialogues.legacy import authenticate, commit_legacy, open_legacy
from cardlib.dialogues.purse_state import PurseState
from cardlib.dialogues.read import (
    OpenPurse,
    find_purse,
    open_found,
    read_back,
    read_newest,
    read_wallets,
    state_of,
)
from cardlib.dialogues.sale import CommitOutcome
from cardlib.dialogues.volley import Dialogue
from cardlib.drivers.file_card import FileCard
from cardlib.errors import PurseRefusedError
from cardlib.keys.module import LegacyModule, LegacySession, SecurityModule, SpendReading
from cardlib.keys.trust import Trust
from cardlib.wire.entry_body import AttestedRead


class LegacyCard(FileCard):
    """Implements ``PurseCard``. ``limit_cents``: the most that a legacy chip may pay in one
    sale, as the town allows; 0 refuses legacy chips with ``PURSE_LEGACY``.

    Recovery hears a refused chip all the same: what was debited is found out.
    """

    def __init__(
        self,
        channel: Channel,
        module: SecurityModule,
        trust: Trust,
        *,
        training: bool = False,
        limit_cents: int = 0,
    ) -> None:
        super().__init__(channel, module, trust, training=training)
        self._limit_cents = limit_cents
        self._legacy: LegacySession | None = None

    def read(self) -> PurseState:
        """As :class:`FileCard`; on a legacy chip without the challenge."""
        self._purse = None
        purse, state = self._upward(self._read_either)
        self._hold(purse)
        return state

    def debit(self, intent: bytes) -> CommitOutcome:
        """UPDATE RECORD; on a legacy chip GET CHALLENGE right before it."""
        purse = self._open_purse()
        if self._legacy is None:
            return super().debit(intent)
        return self._channel.run(commit_legacy(purse, self._legacy, intent))

    def attest(self, index: int = 1) -> AttestedRead:
        """On a legacy chip an oracle's answer, which proves nothing by itself."""
        purse = self._open_purse()
        if self._legacy is None:
            return super().attest(index)
        return self._channel.run(authenticate(purse, index))

    def read_back(self, below_ctr: int) -> tuple[Info, list[SpendReading]]:
        """As :class:`FileCard`, in the order that the chip knows."""
        self._purse = None
        purse = self._upward(self._open)
        readings = self._channel.run(read_back(purse, below_ctr))
        self._hold(purse)
        return purse.info, readings

    def _read_either(self) -> Dialogue[tuple[OpenPurse, PurseState]]:
        purse = yield from self._open()
        if self._legacy is not None and not self._limit_cents:
            raise PurseRefusedError("PURSE_LEGACY")
        yield from read_newest(purse)
        yield from read_wallets(purse, self._trust)
        return purse, state_of(purse, self._trust)

    def _open(self) -> Dialogue[OpenPurse]:
        self._legacy = None
        directory, info = yield from find_purse(self._module, self._first, training=self._training)
        self._directory = directory
        if info.attests:
            return (yield from open_found(self._module, directory, info))
        if not isinstance(self._module, LegacyModule):
            raise PurseRefusedError("PURSE_LEGACY")
        opened = open_legacy(self._module, info, directory, self._limit_cents)
        purse, self._legacy = yield from opened
        return purse
