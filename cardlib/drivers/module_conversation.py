"""A conversation with a purse that is kept on a module card, and what its answers mean."""

from hashlib import sha256

from cardlib.codec import module_card as codec
from cardlib.codec.apdu import CLA_SECURE, SHORT_LE_MAX, Command, Response
from cardlib.codec.files import EF_GRANT, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.codec.module_card import OTHER_SET, VALID, Ins, ModuleStatus, RecordKind
from cardlib.codec.purse import Spend
from cardlib.drivers.module_link import ModuleLink
from cardlib.errors import (
    AuthenticityError,
    CardlibError,
    MalformedError,
    ModuleRefusedError,
    PurseRefusedError,
)
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import GrantReading, SpendReading
from cardlib.keys.secure_messaging import split_record_answer

_CODES: dict[int, tuple[type[CardlibError], str]] = {
    ModuleStatus.NOT_FRESH: (AuthenticityError, "MODULE_NO_FRESH_READ"),
    ModuleStatus.OTHER_CARD: (AuthenticityError, "MODULE_OTHER_CARD"),
    ModuleStatus.PLAN_WRONG: (AuthenticityError, "MODULE_PLAN_WRONG"),
    ModuleStatus.QUOTA_USED_UP: (ModuleRefusedError, "QUOTA_USED_UP"),
    ModuleStatus.DEBIT_CEILING: (ModuleRefusedError, "QUOTA_DEBIT_CEILING"),
    ModuleStatus.NOT_ENROLLED: (ModuleRefusedError, "MODULE_NOT_ENROLLED"),
    ModuleStatus.OTHER_OPERATOR: (ModuleRefusedError, "MODULE_OTHER_OPERATOR"),
    ModuleStatus.BEING_RENEWED: (PurseRefusedError, "CARD_BEING_RENEWED"),
    ModuleStatus.LEGACY_LIMIT: (AuthenticityError, "MODULE_LEGACY_LIMIT"),
    ModuleStatus.ORDER_OLD: (ModuleRefusedError, "MODULE_ORDER_OLD"),
}
NOT_OWN = frozenset({ModuleStatus.NOT_GENUINE, ModuleStatus.WRONG_DATA})
"""The module says so of a document that is not its own, its operator's or of this kind."""


class CardSession:
    """One conversation with one purse, kept on the module."""

    def __init__(self, link: ModuleLink, number: int, random: bytes) -> None:
        self.random = random
        self._link = link
        self._number = number

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """The module verifies and opens; AuthenticityError ``CARD_MAC_BAD``."""
        record, _ = split_record_answer(response, EF_SPEND.record_size)
        found = self._opened(RecordKind.SPEND_ANSWER, index, response.data)
        clear = clear_of(found)
        spend = None if clear is None else Spend.decode(clear)
        return SpendReading(index, record, spend, found[:1] == OTHER_SET)

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """The module verifies and opens; the issuer's signature is the caller's to verify."""
        record, _ = split_record_answer(response, EF_GRANT.record_size)
        clear = clear_of(self._opened(RecordKind.GRANT_ANSWER, number, response.data))
        return GrantReading(number, record, None if clear is None else _signed_grant(clear))

    def update_spend(self, intent: bytes) -> Command:
        """The one UPDATE RECORD, as the module built it from the intent that it signed.

        ModuleRefusedError ``QUOTA_USED_UP`` or ``QUOTA_DEBIT_CEILING``, and what the rule raises.
        """
        digest = sha256(intent).digest()
        answer = self._link.say(self._number, codec.command(Ins.UPDATE, digest))
        if answer.status == ModuleStatus.NO_INTENT:
            require_intent(self._link.say(self._number, codec.command(Ins.INTENT, intent)))
            answer = self._link.say(self._number, codec.command(Ins.UPDATE, digest))
        data = data_of(answer)
        return Command(CLA_SECURE, 0xDC, 0, EF_SPEND_APPEND_P2, data, SHORT_LE_MAX)

    def update_confirmed(self, response: Response) -> bool:
        """Whether the module found the MAC good; no when it cannot say."""
        if not response.ok:
            return False
        try:
            commands = codec.command(Ins.CONFIRM, response.data)
            return data_of(self._link.say(self._number, commands)) == VALID
        except CardlibError:
            return False

    def _opened(self, kind: RecordKind, number: int, answer: bytes) -> bytes:
        commands = codec.command(Ins.OPEN_RECORD, answer, kind, number)
        found = self._link.say(self._number, commands)
        if found.status == ModuleStatus.NOT_GENUINE:
            raise AuthenticityError("CARD_MAC_BAD")
        return data_of(found)


class CardLegacySession(CardSession):
    """With a chip whose challenge comes after the reads; the module keeps the limit."""

    def challenged(self, challenge: bytes) -> None:
        """The one challenge; AuthenticityError before EF.SPEND was read, or a second one."""
        data_of(self._link.say(self._number, codec.command(Ins.CHALLENGED, challenge)))


def data_of(answer: Response) -> bytes:
    """The data of an answer; the error that its status means otherwise."""
    if answer.ok:
        return answer.data
    if answer.status in _CODES:
        kind, code = _CODES[answer.status]
        raise kind(code)
    raise ModuleRefusedError(status=f"{answer.status:04X}")


def require_intent(answer: Response) -> None:
    """The module has taken the intent; AuthenticityError ``MODULE_NO_INTENT`` when not its own."""
    if answer.status in NOT_OWN:
        raise AuthenticityError("MODULE_NO_INTENT")
    if answer.status == ModuleStatus.NO_KEYS:
        raise PurseRefusedError("PURSE_NOT_SERVED", issuer="")
    data_of(answer)


def clear_of(data: bytes) -> bytes | None:
    """The clear bytes of an opened record; None when it does not decrypt."""
    return data[1:] if data[:1] in (VALID, OTHER_SET) else None


def _signed_grant(clear: bytes) -> SignedGrant | None:
    """As a software module: what is no grant in clear is a damaged record."""
    try:
        return SignedGrant.decode(clear)
    except MalformedError:
        return None
