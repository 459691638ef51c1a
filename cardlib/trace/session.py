"""What a trace shows of the card's state: selection, randoms, answer key (PROTOCOL 2)."""

from dataclasses import dataclass
from hmac import compare_digest

from cardlib.codec import tlv
from cardlib.codec.apdu import Command
from cardlib.codec.files import KeyId
from cardlib.codec.purse import Info
from cardlib.errors import CardlibError, MalformedError
from cardlib.keys.secure_messaging import TAG_MAC, mac
from cardlib.keys.suites import suite_of
from cardlib.trace.details import Mac
from cardlib.trace.keyring import Keyring, TraceKeys


@dataclass(slots=True)
class TraceSession:
    """As far as the answers can be believed: a trace of a liar reads like a liar."""

    keyring: Keyring
    directory: int | None = None
    """The purse directory selected, for example 0xB001."""
    info: Info | None = None
    challenge: bytes | None = None
    host_random: bytes | None = None
    answer_key: int = KeyId.DEBIT_RESPONSE

    def enter(self, directory: int | None) -> None:
        """Selection of any directory, and reset: nothing else holds any more."""
        self.directory, self.info = directory, None
        self.challenge = self.host_random = None
        self.answer_key = KeyId.DEBIT_RESPONSE

    def take_challenge(self) -> bytes | None:
        """The challenge, which a secured write uses up."""
        challenge, self.challenge = self.challenge, None
        return challenge

    @property
    def keys(self) -> TraceKeys | None:
        """What is known of the purse that is selected."""
        return None if self.directory is None else self.keyring(self.directory, self.info)

    @property
    def record_key(self) -> bytes | None:
        """K_REC of the purse that is selected."""
        keys = self.keys
        return keys.record if keys else None

    def judge(self, command: Command, data: bytes, key_id: int, random: bytes | None) -> Mac:
        """Whether the MAC that ends ``data`` is right, over ``random`` and under that key."""
        code = object_value(data, TAG_MAC)
        if code is None:
            return self.judge_code(command, b"", b"", key_id, random)
        return self.judge_code(command, data[: -2 - len(code)], code, key_id, random)

    def judge_code(
        self, command: Command, covered: bytes, code: bytes, key_id: int, random: bytes | None
    ) -> Mac:
        """Whether ``code`` is the MAC over ``random``, the command's header and ``covered``."""
        keys = self.keys
        key = keys.keys.get(key_id) if keys else None
        if keys is None or key is None or random is None:
            return Mac.UNKNOWN
        try:
            right = mac(suite_of(keys.suite), key, random, command.header, covered)
        except CardlibError:
            return Mac.UNKNOWN
        return Mac.GOOD if compare_digest(right, code) else Mac.BAD


def object_value(data: bytes, tag: int) -> bytes | None:
    """The value of the first data object with this tag, or None."""
    try:
        return next((item.value for item in tlv.decode(data) if item.tag == tag), None)
    except MalformedError:
        return None
