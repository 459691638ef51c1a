"""The driver for applet cards: four commands a sale, the chip checks the arithmetic."""

from cardlib.channel import Channel
from cardlib.codec.purse import Info
from cardlib.dialogues.applet import OpenApplet, find_applet, opened_applet, read_back
from cardlib.dialogues.purse_state import PurseState, build_state, genuine_grant
from cardlib.dialogues.read import mapped_records, read_all_grants, read_grants, state_of
from cardlib.dialogues.volley import Dialogue
from cardlib.drivers.file_card import FileCard
from cardlib.drivers.known_grants import KnownGrants
from cardlib.errors import PurseRefusedError
from cardlib.keys.module import AppletModule, GrantReading, SecurityModule, SpendReading
from cardlib.keys.trust import Trust
from cardlib.wire.entry_body import AttestedRead


class AppletCard(FileCard):
    """Implements ``PurseCard``; PIN, attested reads and reset are those of the file card.

    ``debit`` is too: the session's one command is a DEBIT here.
    ``known`` outlives the card: what a till has met it does not read again.
    """

    def __init__(
        self,
        channel: Channel,
        module: SecurityModule,
        trust: Trust,
        *,
        training: bool = False,
        known: KnownGrants | None = None,
    ) -> None:
        super().__init__(channel, module, trust, training=training)
        self._known = KnownGrants() if known is None else known
        self._applet: OpenApplet | None = None

    def read(self) -> PurseState:
        """SELECT, INITIALISE; grants that are not known yet, by READ RECORD."""
        self._forget()
        applet, state = self._upward(self._read_applet)
        self._keep(applet)
        return state

    def read_all_wallets(self) -> PurseState:
        """Reads the remaining grant records in the same session."""
        purse = self._open_purse()
        self._channel.run(read_all_grants(purse))
        return state_of(purse, self._trust)

    def attest(self, index: int = 1) -> AttestedRead:
        """What DEBIT brought along; for other records MSE SET K_TC and READ RECORD."""
        self._open_purse()
        proof = None if self._applet is None else self._applet.session.proof
        if index == 1 and proof is not None:
            return proof
        return super().attest(index)

    def read_back(self, below_ctr: int) -> tuple[Info, list[SpendReading]]:
        """SELECT, INITIALISE (which is record 1), then EF.SPEND downwards."""
        self._forget()
        applet = self._upward(self._open_applet)
        readings = self._channel.run(read_back(applet.purse, below_ctr))
        self._keep(applet)
        return applet.purse.info, readings

    def end(self) -> None:
        """Resets the card; a card that is already gone needs none."""
        self._applet = None
        super().end()

    def _open_applet(self) -> Dialogue[OpenApplet]:
        if not isinstance(self._module, AppletModule):
            raise PurseRefusedError("MODULE_NO_APPLET")
        directory, session, answer = yield from find_applet(
            self._module, self._module, self._first, training=self._training
        )
        self._directory = directory  # also of a purse that is refused after all
        return opened_applet(directory, session, answer)

    def _read_applet(self) -> Dialogue[tuple[OpenApplet, PurseState]]:
        applet = yield from self._open_applet()
        purse = applet.purse
        known = self._known_of(applet)
        if len(known) < len(applet.live):
            yield from read_grants(purse, mapped_records(purse.info))
            known = self._learnt_of(applet)
        if len(known) < len(applet.live):
            yield from read_all_grants(purse)
            self._learnt_of(applet)
            return applet, state_of(purse, self._trust)
        # The chip itself has said, under its MAC, that there are no other wallets.
        state = build_state(
            purse.info, purse.directory, purse.spends, known, self._trust, complete=True
        )
        return applet, state

    def _known_of(self, applet: OpenApplet) -> dict[int, GrantReading]:
        """Readings of the live grants that this till has met, by slot."""
        core = applet.purse.info.core
        found = {slot: self._known.find(core, number) for slot, number in applet.live.items()}
        return {
            slot: GrantReading(0, b"", signed)
            for slot, signed in found.items()
            if signed is not None and signed.grant.slot == slot
        }

    def _learnt_of(self, applet: OpenApplet) -> dict[int, GrantReading]:
        """The same after reading: what was read and is genuine is known from now on."""
        info = applet.purse.info
        for reading in applet.purse.grants.values():
            signed = genuine_grant(reading, info, self._trust)
            if signed is not None:
                self._known.remember(info.core, signed)
        return self._known_of(applet)

    def _keep(self, applet: OpenApplet) -> None:
        self._hold(applet.purse)
        self._applet = applet

    def _forget(self) -> None:
        self._applet = self._purse = None
