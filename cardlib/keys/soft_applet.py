"""A session of a software module with one applet card: one INITIALISE, at most one DEBIT.

The module rule of PROTOCOL 3 as an applet allows it: the answer to INITIALISE is verified
before anything is MACed, and it brings challenge and state together. The DEBIT is built from
the signed intent alone; its MAC is over the record that chip and module compute each.
"""

from collections.abc import Callable
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CTR

from cardlib.codec.apdu import Command, Response
from cardlib.codec.applet import (
    CHALLENGE_PADDED,
    CODE_SIZE,
    DEBIT_ANSWER_SIZE,
    AppletState,
    DebitOrder,
    InitialiseAnswer,
    initialise,
    state_counter_block,
)
from cardlib.codec.files import EF_GRANT, EF_SPEND
from cardlib.codec.purse import Info, Spend
from cardlib.codec.tlv import Tlv
from cardlib.errors import AuthenticityError, CardAnswerError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.intent_rule import check_follows, planned_spend
from cardlib.keys.module import AppletReading, GrantReading, SpendReading
from cardlib.keys.soft_session import own_intent
from cardlib.keys.suites import CipherSuite, suite_of
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry_body import AttestedRead


class SoftAppletSession:
    """Implements ``AppletSession``; ``keys_of`` raises for a purse that is not served."""

    def __init__(
        self, random: bytes, keys_of: Callable[[Info], DebitKeys], terminal: PublicKey
    ) -> None:
        self.random = random
        self.proof: AttestedRead | None = None
        self._keys_of = keys_of
        self._terminal = terminal
        self._challenge: bytes | None = None
        self._reading: AppletReading | None = None
        self._debit: tuple[Command, bytes] | None = None
        """The DEBIT that was given out and the record that it makes."""

    def open_state(self, response: Response) -> AppletReading:
        """Verifies, deciphers, and rebuilds the newest record as it lies on the card.

        Once: the same answer again would bring its challenge back for a second DEBIT.
        """
        if self._reading is not None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        if not response.ok:
            raise CardAnswerError(response.status, "INITIALISE")
        answer = InitialiseAnswer.decode(response.data)
        keys, suite = self._keys_of(answer.info), suite_of(answer.info.suite)
        header = initialise(self.random).header
        code = secure_messaging.mac(suite, keys.response, self.random, header, answer.covered)
        if not compare_digest(code, answer.code):
            raise AuthenticityError("CARD_MAC_BAD")
        state = AppletState.decode(decipher_state(keys.record, answer, self.random))
        record = records.seal_spend(keys.record, state.newest)
        self._challenge = answer.challenge
        newest = SpendReading(1, record, state.newest)
        self._reading = AppletReading(answer.info, newest, state.live)
        return self._reading

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """Verifies and decrypts one EF.SPEND record; no DEBIT follows from it."""
        keys, suite = self._opened()
        command = secure_messaging.read_record_command(
            index, EF_SPEND.read_p2, EF_SPEND.record_size
        )
        record = secure_messaging.open_record_answer(
            suite, keys.response, self.random, command, response, EF_SPEND.record_size
        )
        return SpendReading(index, record, records.open_spend(keys.record, record))

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """Verifies and decrypts one EF.GRANT record."""
        keys, suite = self._opened()
        command = secure_messaging.read_record_command(
            number, EF_GRANT.read_p2, EF_GRANT.record_size
        )
        record = secure_messaging.open_record_answer(
            suite, keys.response, self.random, command, response, EF_GRANT.record_size
        )
        return GrantReading(number, record, records.open_grant(keys.record, record))

    def update_spend(self, intent: bytes) -> Command:
        """The one DEBIT; a second call is refused."""
        entry, body = own_intent(intent, self._terminal)
        reading = self._reading
        if self._challenge is None or reading is None or reading.newest.spend is None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        newest = reading.newest
        if body.info_core != reading.info.core or body.newest_record != newest.record:
            raise AuthenticityError("MODULE_OTHER_CARD")
        spend = planned_spend(entry, body)
        check_follows(body, spend, reading.newest.spend, newest.record)
        challenge, self._challenge = self._challenge, None
        return self._give_out(challenge, _order(reading.newest.spend, spend), spend)

    def update_confirmed(self, response: Response) -> bool:
        """Checks the answer's MAC over this session's random, the record and the certificate."""
        if self._debit is None or not response.ok or len(response.data) != DEBIT_ANSWER_SIZE:
            return False
        (command, record), (keys, suite) = self._debit, self._opened()
        code, certificate = response.data[:CODE_SIZE], response.data[CODE_SIZE:]
        objects = _plain(record) + bytes(Tlv(secure_messaging.TAG_MAC, certificate))
        expected = secure_messaging.mac(suite, keys.response, self.random, command.header, objects)
        if not compare_digest(expected, code):
            return False
        self.proof = AttestedRead(1, record, self.random, certificate)
        return True

    def _give_out(self, challenge: bytes, order: DebitOrder, spend: Spend) -> Command:
        keys, suite = self._opened()
        record = records.seal_spend(keys.record, spend)
        padded = challenge.ljust(CHALLENGE_PADDED, b"\x00")
        code = secure_messaging.mac(suite, keys.command, padded, order.header, _plain(record))
        command = order.command(code)
        self._debit = command, record
        return command

    def _opened(self) -> tuple[DebitKeys, CipherSuite]:
        if self._reading is None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        info = self._reading.info
        return self._keys_of(info), suite_of(info.suite)


def decipher_state(record_key: bytes, answer: InitialiseAnswer, random: bytes) -> bytes:
    """The state of an INITIALISE answer in clear (AES-128-CTR under K_REC); no MAC is checked."""
    block = state_counter_block(answer.challenge, random)
    decryptor = Cipher(AES128(record_key), CTR(block)).decryptor()
    return decryptor.update(answer.state) + decryptor.finalize()


def _order(before: Spend, after: Spend) -> DebitOrder:
    """What the card must be told: the difference of the totals, and what it cannot know."""
    pairs = enumerate(zip(before.spent, after.spent, strict=True), 1)
    cents = {slot: abs(new - old) for slot, (old, new) in pairs if new != old}
    return DebitOrder(
        after.type, cents, after.intent_hash, after.terminal, after.seq, after.time,
        after.day_spent,
    )  # fmt: skip


def _plain(record: bytes) -> bytes:
    return bytes(Tlv(secure_messaging.TAG_PLAIN, record))
