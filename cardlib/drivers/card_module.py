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
from cardlib.codec.module_applet import open_applet
from cardlib.codec.module_card import (
    KEY_SET_SIZE,
    Ins,
    ModuleDescription,
    ModuleStatus,
    RecordKind,
    Signed,
)
from cardlib.codec.purse import SPEND_RECORD_SIZE, Info, Spend
from cardlib.drivers.module_applet import CardAppletSession
from cardlib.drivers.module_conversation import (
    NOT_OWN,
    CardLegacySession,
    CardSession,
    clear_of,
    data_of,
    require_intent,
)
from cardlib.drivers.module_link import Connect, ModuleLink
from cardlib.errors import (
    AuthenticityError,
    MalformedError,
    PurseRefusedError,
)
from cardlib.wire import sign1
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import EnrolmentRequest
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.module_order import ModuleState

_CORE_KEYED = slice(0, 14)


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
        signature = data_of(answer)
        self._public_key.verify(base, signature)
        return signature

    def serves(self, info: Info) -> bool:
        """Whether the module has keys for this purse."""
        core = info.core[_CORE_KEYED]
        if core not in self._served:
            answer = self._link.ask(codec.command(Ins.SERVES, info.core))
            if answer.status != ModuleStatus.NO_KEYS:
                data_of(answer)
            self._served[core] = answer.ok
        return self._served[core]

    def open(self, info: Info, challenge: bytes) -> CardSession:
        """Opens a conversation; the module makes its random only now."""
        number, answer = self._link.begin(codec.open_session(info.core, challenge))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        random = data_of(answer)
        if len(random) != codec.CHALLENGE_SIZE:
            raise MalformedError("OPEN", f"{len(random)} bytes")
        return CardSession(self._link, number, random)

    def open_legacy(self, info: Info, limit_cents: int) -> CardLegacySession:
        """Opens a conversation in which no sale above ``limit_cents`` is written."""
        number, answer = self._link.begin(codec.open_legacy(info.core, limit_cents))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        return CardLegacySession(self._link, number, data_of(answer))

    def initialise(self) -> CardAppletSession:
        """Opens a conversation with an applet card; its purse is known with the answer."""
        number, answer = self._link.begin(open_applet())
        random = data_of(answer)
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
            require_intent(answer)
        record = data_of(answer)
        if len(record) != SPEND_RECORD_SIZE:
            raise MalformedError("RECORD", f"{len(record)} bytes")
        return record

    def open_record(self, info: Info, record: bytes) -> Spend | None:
        """A stored record in clear."""
        data = info.core + record
        answer = self._link.ask(codec.command(Ins.OPEN_RECORD, data, RecordKind.SPEND_STORED))
        if answer.status == ModuleStatus.NO_KEYS:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        clear = clear_of(data_of(answer))
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
        if answer.status in NOT_OWN:
            raise AuthenticityError("CERTIFICATE_OTHER")
        data_of(answer)

    def obey(self, order: bytes) -> None:
        """Hands over the operator's order; the same one again changes nothing.

        AuthenticityError ``MODULE_ORDER_BAD`` for one that is not the operator's, or not
        for this module; ModuleRefusedError ``MODULE_ORDER_OLD``.
        """
        answer = self._link.ask(codec.command(Ins.ORDER, order))
        if answer.status in NOT_OWN:
            raise AuthenticityError("MODULE_ORDER_BAD")
        data_of(answer)
        self._served.clear()

    @property
    def key_sets(self) -> tuple[tuple[bytes, int], ...]:
        """Issuer and number of every key set whose master is on the card."""
        held = data_of(self._link.ask(codec.command(Ins.KEY_SETS)))
        rows = (held[at : at + KEY_SET_SIZE] for at in range(0, len(held), KEY_SET_SIZE))
        return tuple((row[:3], row[3]) for row in rows)

    def take_keys(self, answer: bytes) -> None:
        """Hands over the keys of a new key set (``cardlib.wire.module_keys``), as received.

        AuthenticityError ``MODULE_ORDER_BAD`` when they are not the operator's, or not
        for this module.
        """
        found = self._link.ask(codec.command(Ins.TAKE_KEYS, answer))
        if found.status in NOT_OWN:
            raise AuthenticityError("MODULE_ORDER_BAD")
        data_of(found)
        self._served.clear()

    def state(self) -> bytes:
        """What the module has debited, as it signs it (:class:`ModuleState`)."""
        complete = data_of(self._link.ask(codec.command(Ins.STATE)))
        ModuleState.open(complete, self._public_key)
        return complete

    def _signed(self, kind: Signed, payload: bytes) -> bytes:
        signature = data_of(self._link.ask(codec.command(Ins.SIGN, payload, kind)))
        return sign1.assemble(self._public_key.kid, payload, signature)


def describe_module(connect: Connect) -> ModuleDescription:
    """What the module in the reader says of itself, whichever it is; no PIN is sent."""
    return ModuleLink(connect, "no PIN").describe()


def read_public_key(connect: Connect) -> PublicKey:
    """The key of the module in the reader, before anybody knows its PIN."""
    return PublicKey(describe_module(connect).public_key)
