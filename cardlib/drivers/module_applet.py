"""A module card's conversation with an applet card, behind ``AppletSession``."""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.applet import CODE_SIZE, InitialiseAnswer
from cardlib.codec.module_applet import BuiltDebit, OpenedState, open_state
from cardlib.codec.module_card import ModuleStatus
from cardlib.drivers.module_link import ModuleLink
from cardlib.errors import (
    AuthenticityError,
    CardAnswerError,
    ModuleRefusedError,
    PurseRefusedError,
)
from cardlib.keys.module import AppletReading, GrantReading, ModuleSession, SpendReading
from cardlib.wire.entry_body import AttestedRead


class CardAppletSession:
    """``inner`` is the same conversation, for what it shares with other cards."""

    def __init__(self, inner: ModuleSession, link: ModuleLink, number: int) -> None:
        self.random = inner.random
        self.proof: AttestedRead | None = None
        self._inner = inner
        self._link = link
        self._number = number
        self._record = b""

    def open_state(self, response: Response) -> AppletReading:
        """The module verifies and deciphers; the card's EF.INFO is under the same MAC."""
        if not response.ok:
            raise CardAnswerError(response.status, "INITIALISE")
        info = InitialiseAnswer.decode(response.data).info
        answer = self._link.say(self._number, open_state(response.data))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        if answer.status == ModuleStatus.NOT_GENUINE:
            raise AuthenticityError("CARD_MAC_BAD")
        if not answer.ok:
            raise ModuleRefusedError(status=f"{answer.status:04X}")
        opened = OpenedState.decode(answer.data)
        newest = SpendReading(1, opened.record, opened.state.newest)
        return AppletReading(info, newest, opened.state.live)

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """As with other cards."""
        return self._inner.open_spend(index, response)

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """As with other cards."""
        return self._inner.open_grant(number, response)

    def update_spend(self, intent: bytes) -> Command:
        """The one DEBIT; the module's answer says which, in the data of its UPDATE."""
        built = BuiltDebit.decode(self._inner.update_spend(intent).data)
        self._record = built.record
        return built.command

    def update_confirmed(self, response: Response) -> bool:
        """Whether the module found the MAC good over record and certificate."""
        confirmed = self._inner.update_confirmed(response)
        if confirmed:
            certificate = response.data[CODE_SIZE:]
            self.proof = AttestedRead(1, self._record, self.random, certificate)
        return confirmed
