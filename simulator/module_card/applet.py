"""A conversation with an applet card: its random first, the purse is known with the answer.

One MACed answer binds challenge and state together (docs/card-profile.md, *The applet card*);
the DEBIT is built from the intent alone, its MAC over the record that chip and module compute
each for itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cardlib.codec import tlv
from cardlib.codec.applet import (
    CHALLENGE_PADDED,
    CODE_SIZE,
    DEBIT_ANSWER_SIZE,
    AppletState,
    DebitOrder,
    InitialiseAnswer,
    initialise,
    mask_of,
    state_counter_block,
)
from cardlib.codec.module_applet import BuiltDebit
from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import Info, Spend
from cardlib.errors import CardlibError
from simulator.card import crypto, sealed_records
from simulator.card.refusal import Refusal
from simulator.module_card import intent as intents
from simulator.module_card import records
from simulator.module_card.conversation import Conversation, Opened
from simulator.module_card.intent import Intent
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import Malformed, refuse_unless

KeysOf = Callable[[bytes], tuple[Info, DebitKeys]]


@dataclass(slots=True, repr=False)
class AppletConversation:
    """One random of ours, one INITIALISE, at most one DEBIT."""

    random: bytes
    keys_of: KeysOf
    reads: Conversation | None = None
    newest: Spend | None = None
    record: bytes = b""
    challenge: bytes | None = None
    debit: tuple[bytes, bytes] | None = None
    """Header of the DEBIT that was given out, and the record that it makes."""

    def open_state(self, data: bytes) -> bytes:
        """Verifies an answer of INITIALISE: the newest record at rest, then the state in clear."""
        answer = _split(data)
        info, keys = self.keys_of(answer.info.core)
        suite = crypto.SUITES[info.suite]
        header = initialise(self.random).header
        code = records.mac(suite, keys.response, self.random, header, answer.covered)
        refuse_unless(crypto.same(code, answer.code), ModuleStatus.NOT_GENUINE)
        clear = _deciphered(keys.record, answer, self.random)
        self.newest = _state(clear).newest
        self.record = sealed_records.seal_spend(keys.record, self.newest)
        self.reads = Conversation(info, None, self.random, keys, suite)
        self.challenge = answer.challenge
        return self.record + clear

    def open_spend(self, number: int, answer: bytes) -> Opened:
        """An EF.SPEND record; no DEBIT follows from it."""
        return self._opened().open_spend(number, answer)

    def open_grant(self, number: int, answer: bytes) -> bytes | None:
        """An EF.GRANT record in clear."""
        return self._opened().open_grant(number, answer)

    def check(self, intent: Intent, terminal: int) -> None:
        """Refuses an intent that does not follow from what INITIALISE has said."""
        refuse_unless(self.challenge is not None and self.newest, ModuleStatus.NOT_FRESH)
        assert self.newest is not None
        same = (intent.info_core, intent.newest_record) == (self._opened().info.core, self.record)
        refuse_unless(same, ModuleStatus.OTHER_CARD)
        intents.check_follows(intent, self.newest, terminal)

    def update(self, intent: Intent) -> bytes:
        """The one DEBIT and the record that it makes; the challenge is gone afterwards."""
        challenge, self.challenge = self.challenge, None
        reads, before = self._opened(), self.newest
        assert challenge is not None and before is not None  # noqa: PT018 - ``check`` comes first
        order = _order(before, intent.plan)
        record = sealed_records.seal_spend(reads.keys.record, intent.plan)
        padded = challenge.ljust(CHALLENGE_PADDED, b"\x00")
        code = records.mac(
            reads.suite, reads.keys.command, padded, order.header, bytes(tlv.Tlv(0x81, record))
        )
        self.debit = order.header, record
        data = bytes(order) + code
        return bytes(BuiltDebit(order.type, mask_of(order.cents), record, data))

    def confirms(self, answer: bytes) -> bool:
        """Whether the chip's answer to the DEBIT carries the right MAC."""
        if self.debit is None:
            raise Refusal(ModuleStatus.NOT_FRESH)
        header, record = self.debit
        reads = self._opened()
        code, certificate = answer[:CODE_SIZE], answer[CODE_SIZE:]
        objects = bytes(tlv.Tlv(0x81, record)) + bytes(tlv.Tlv(0x8E, certificate))
        expected = records.mac(reads.suite, reads.keys.response, self.random, header, objects)
        return len(answer) == DEBIT_ANSWER_SIZE and crypto.same(expected, code)

    def _opened(self) -> Conversation:
        if self.reads is None:
            raise Refusal(ModuleStatus.NOT_FRESH)
        return self.reads


def _split(data: bytes) -> InitialiseAnswer:
    try:
        return InitialiseAnswer.decode(data)
    except CardlibError:
        raise Malformed from None


def _state(clear: bytes) -> AppletState:
    try:
        return AppletState.decode(clear)
    except CardlibError:
        raise Malformed from None


def _deciphered(key: bytes, answer: InitialiseAnswer, random: bytes) -> bytes:
    cipher = Cipher(AES128(key), CTR(state_counter_block(answer.challenge, random)))
    decryptor = cipher.decryptor()
    return decryptor.update(answer.state) + decryptor.finalize()


def _order(before: Spend, after: Spend) -> DebitOrder:
    moved = {
        slot: abs(new - old)
        for slot, (old, new) in enumerate(zip(before.spent, after.spent, strict=True), 1)
        if new != old
    }
    return DebitOrder(
        after.type, moved, after.intent_hash, after.terminal, after.seq, after.time,
        after.day_spent,
    )  # fmt: skip
