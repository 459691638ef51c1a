"""``CardModule``: the security module is a card in a second slot.

Implements ``cardlib.keys.module.SecurityModule``; the rule, the keys and the quotas are
on the chip (docs/module-card.md). What is believed of the module is little: its
signatures are verified before they are written, and whatever it does not confirm is unknown.

A module that goes away raises ModuleGoneError; after the UPDATE has left that is not an
answer about the purse, so :meth:`CardSession.update_confirmed` says no and never raises:
only a fresh read decides, with the same module back in its reader.
"""

from hashlib import sha256

from cardlib.channel import Tracer
from cardlib.codec import module_card as codec
from cardlib.codec.apdu import CLA_SECURE, SHORT_LE_MAX, Command, Response
from cardlib.codec.files import EF_GRANT, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.codec.module_applet import open_applet
from cardlib.codec.module_card import (
    KEY_SET_SIZE,
    OTHER_SET,
    VALID,
    Ins,
    ModuleDescription,
    ModuleStatus,
    RecordKind,
    Signed,
)
from cardlib.codec.purse import SPEND_RECORD_SIZE, Info, Spend
from cardlib.drivers.card_applet import CardAppletSession
from cardlib.drivers.module_link import Connect, ModuleLink
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
from cardlib.wire import sign1
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import EnrolmentRequest
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.module_order import ModuleState

_CORE_KEYED = slice(0, 14)
_CODES: dict[int, tuple[type[CardlibError], str]] = {
    ModuleStatus.NOT_FRESH: (AuthenticityError, "MODULE_NO_FRESH_READ"),
    ModuleStatus.OTHER_CARD: (AuthenticityError, "MODULE_OTHER_CARD"),
    ModuleStatus.PLAN_WRONG: (AuthenticityError, "MODULE_PLAN_WRONG"),
    ModuleStatus.QUOTA_USED_UP: (ModuleRefusedError, "QUOTA_USED_UP"),
    ModuleStatus.DEBIT_CEILING: (ModuleRefusedError, "QUOTA_DEBIT_CEILING"),
    ModuleStatus.NOT_ENROLLED: (ModuleRefusedError, "MODULE_NOT_ENROLLED"),
    ModuleStatus.OTHER_OPERATOR: (ModuleRefusedError, "MODULE_OTHER_OPERATOR"),
    ModuleStatus.BEING_RENEWED: (PurseRefusedError, "CARD_BEING_RENEWED"),
    ModuleStatus.ORDER_OLD: (ModuleRefusedError, "MODULE_ORDER_OLD"),
}
_NOT_OWN = frozenset({ModuleStatus.NOT_GENUINE, ModuleStatus.WRONG_DATA})


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
        clear = _clear(found)
        spend = None if clear is None else Spend.decode(clear)
        return SpendReading(index, record, spend, found[:1] == OTHER_SET)

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """The module verifies and opens; the issuer's signature is the caller's to verify."""
        record, _ = split_record_answer(response, EF_GRANT.record_size)
        clear = _clear(self._opened(RecordKind.GRANT_ANSWER, number, response.data))
        return GrantReading(number, record, None if clear is None else _signed_grant(clear))

    def update_spend(self, intent: bytes) -> Command:
        """The one UPDATE RECORD, as the module built it from the intent that it signed.

        ModuleRefusedError ``QUOTA_USED_UP`` or ``QUOTA_DEBIT_CEILING``, and what the rule raises.
        """
        digest = sha256(intent).digest()
        answer = self._link.say(self._number, codec.command(Ins.UPDATE, digest))
        if answer.status == ModuleStatus.NO_INTENT:
            _require_intent(self._link.say(self._number, codec.command(Ins.INTENT, intent)))
            answer = self._link.say(self._number, codec.command(Ins.UPDATE, digest))
        data = _data(answer)
        return Command(CLA_SECURE, 0xDC, 0, EF_SPEND_APPEND_P2, data, SHORT_LE_MAX)

    def update_confirmed(self, response: Response) -> bool:
        """Whether the module found the MAC good; no when it cannot say."""
        if not response.ok:
            return False
        try:
            commands = codec.command(Ins.CONFIRM, response.data)
            return _data(self._link.say(self._number, commands)) == VALID
        except CardlibError:
            return False

    def _opened(self, kind: RecordKind, number: int, answer: bytes) -> bytes:
        commands = codec.command(Ins.OPEN_RECORD, answer, kind, number)
        found = self._link.say(self._number, commands)
        if found.status == ModuleStatus.NOT_GENUINE:
            raise AuthenticityError("CARD_MAC_BAD")
        return _data(found)


class CardModule:
    """A module card of known ``public_key``, found by ``connect``, opened with ``pin``."""

    module_class = ModuleClass.CARD

    def __init__(
        self, connect: Connect, pin: str, public_key: PublicKey, tracer: Tracer | None = None
    ) -> None:
        self._link = ModuleLink(connect, pin, public_key, tracer)
        self._public_key = public_key
        self._served: dict[bytes, bool] = {}

    @property
    def public_key(self) -> PublicKey:
        """The terminal's key; its private half is on the card."""
        return self._public_key

    def sign_entry(self, payload: bytes) -> bytes:
        """Signs a journal entry; an intent beyond the quota is refused before it exists.

        AuthenticityError ``SIGNATURE_BAD`` when the module answers with anything else.
        """
        complete = self._signed(Signed.ENTRY, payload)
        sign1.parse(complete).verify(self._public_key, sign1.ENTRY_AAD)
        return complete

    def sign_request(self, base: bytes) -> bytes:
        """Signs the base of an HTTP request."""
        answer = self._link.ask(codec.command(Ins.SIGN, base, Signed.REQUEST))
        if answer.status == ModuleStatus.WRONG_DATA:
            raise AuthenticityError("MODULE_NO_REQUEST")
        signature = _data(answer)
        self._public_key.verify(base, signature)
        return signature

    def serves(self, info: Info) -> bool:
        """Whether the module has keys for this purse."""
        core = info.core[_CORE_KEYED]
        if core not in self._served:
            answer = self._link.ask(codec.command(Ins.SERVES, info.core))
            if answer.status != ModuleStatus.NO_KEYS:
                _data(answer)
            self._served[core] = answer.ok
        return self._served[core]

    def open(self, info: Info, challenge: bytes) -> CardSession:
        """Opens a conversation; the module makes its random only now."""
        number, answer = self._link.begin(codec.open_session(info.core, challenge))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        random = _data(answer)
        if len(random) != codec.CHALLENGE_SIZE:
            raise MalformedError("OPEN", f"{len(random)} bytes")
        return CardSession(self._link, number, random)

    def initialise(self) -> CardAppletSession:
        """Opens a conversation with an applet card; its purse is known with the answer."""
        number, answer = self._link.begin(open_applet())
        random = _data(answer)
        if len(random) != codec.CHALLENGE_SIZE:
            raise MalformedError("OPEN APPLET", f"{len(random)} bytes")
        return CardAppletSession(CardSession(self._link, number, random), self._link, number)

    def record_of(self, intent: bytes) -> bytes:
        """The record of an own intent; the module verifies that it signed it."""
        digest = sha256(intent).digest()
        answer = self._link.ask(codec.command(Ins.RECORD, digest))
        if answer.status == ModuleStatus.NO_INTENT:
            both = (*codec.command(Ins.INTENT, intent), *codec.command(Ins.RECORD, digest))
            answer = self._link.ask(both)
            _require_intent(answer)
        record = _data(answer)
        if len(record) != SPEND_RECORD_SIZE:
            raise MalformedError("RECORD", f"{len(record)} bytes")
        return record

    def open_record(self, info: Info, record: bytes) -> Spend | None:
        """A stored record in clear."""
        data = info.core + record
        answer = self._link.ask(codec.command(Ins.OPEN_RECORD, data, RecordKind.SPEND_STORED))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        clear = _clear(_data(answer))
        return None if clear is None else Spend.decode(clear)

    def rest(self) -> None:
        """Nobody talks to a purse now: others may have the module's reader."""
        self._link.rest()

    def check_pin(self) -> None:
        """Opens the module with its PIN; ModuleRefusedError when it does not open."""
        self._link.ask(codec.command(Ins.GET_MODULE))

    # service: enrolment and the operator's orders --------------------------------------------

    def describe(self) -> ModuleDescription:
        """What the module in the reader says of itself; no PIN is sent."""
        return self._link.describe()

    def unblock(self, puk: str, new_pin: str) -> None:
        """A new PIN by the PUK; ModuleRefusedError counts the tries of the PUK."""
        self._link.unblock(puk, new_pin)

    def change_pin(self, new_pin: str) -> None:
        """A new PIN by the one that this driver has."""
        self._link.change_pin(new_pin)

    def request_enrolment(self, code: str) -> bytes:
        """The signed request for a one-time ``code``."""
        request = EnrolmentRequest(
            code, self._public_key, self.describe().box_key, ModuleClass.CARD
        )
        return self._signed(Signed.ENROLMENT, request.payload)

    def install(self, operator: PublicKey, certificate: bytes) -> None:
        """Takes the module into service; once, and for good.

        AuthenticityError ``CERTIFICATE_OTHER`` when it is not this module's.
        """
        answer = self._link.ask(codec.command(Ins.INSTALL, operator.raw + certificate))
        if answer.status in _NOT_OWN:
            raise AuthenticityError("CERTIFICATE_OTHER")
        _data(answer)

    def obey(self, order: bytes) -> None:
        """Hands over the operator's order; the same one again changes nothing.

        AuthenticityError ``MODULE_ORDER_BAD`` for one that is not the operator's, or not
        for this module; ModuleRefusedError ``MODULE_ORDER_OLD``.
        """
        answer = self._link.ask(codec.command(Ins.ORDER, order))
        if answer.status in _NOT_OWN:
            raise AuthenticityError("MODULE_ORDER_BAD")
        _data(answer)
        self._served.clear()

    @property
    def key_sets(self) -> tuple[tuple[bytes, int], ...]:
        """Issuer and number of every key set whose master is on the card."""
        held = _data(self._link.ask(codec.command(Ins.KEY_SETS)))
        rows = (held[at : at + KEY_SET_SIZE] for at in range(0, len(held), KEY_SET_SIZE))
        return tuple((row[:3], row[3]) for row in rows)

    def take_keys(self, answer: bytes) -> None:
        """Hands over the keys of a new key set (``cardlib.wire.module_keys``), as received.

        AuthenticityError ``MODULE_ORDER_BAD`` when they are not the operator's, or not
        for this module.
        """
        found = self._link.ask(codec.command(Ins.TAKE_KEYS, answer))
        if found.status in _NOT_OWN:
            raise AuthenticityError("MODULE_ORDER_BAD")
        _data(found)
        self._served.clear()

    def state(self) -> bytes:
        """What the module has debited, as it signs it (:class:`ModuleState`)."""
        complete = _data(self._link.ask(codec.command(Ins.STATE)))
        ModuleState.open(complete, self._public_key)
        return complete

    def _signed(self, kind: Signed, payload: bytes) -> bytes:
        signature = _data(self._link.ask(codec.command(Ins.SIGN, payload, kind)))
        return sign1.assemble(self._public_key.kid, payload, signature)


def read_public_key(connect: Connect) -> PublicKey:
    """The key of the module in the reader, before anybody knows its PIN."""
    return PublicKey(ModuleLink(connect, "no PIN").describe().public_key)


def _data(answer: Response) -> bytes:
    """The data of an answer; the error that its status means otherwise."""
    if answer.ok:
        return answer.data
    if answer.status in _CODES:
        kind, code = _CODES[answer.status]
        raise kind(code)
    raise ModuleRefusedError(status=f"{answer.status:04X}")


def _require_intent(answer: Response) -> None:
    if answer.status in _NOT_OWN:
        raise AuthenticityError("MODULE_NO_INTENT")
    if answer.status == ModuleStatus.NO_KEYS:
        raise PurseRefusedError("PURSE_NOT_SERVED", issuer="")
    _data(answer)


def _clear(data: bytes) -> bytes | None:
    return data[1:] if data[:1] in (VALID, OTHER_SET) else None


def _signed_grant(clear: bytes) -> SignedGrant | None:
    """As a software module: what is no grant in clear is a damaged record."""
    try:
        return SignedGrant.decode(clear)
    except MalformedError:
        return None
