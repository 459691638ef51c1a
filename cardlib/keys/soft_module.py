"""``SoftModule``: a security module in software, its keys from an encrypted file.

Sales through it carry ``module_class = soft`` and lower offline limits: what
a leaked key can do is in PROTOCOL 8.
"""

from dataclasses import dataclass, field

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_GRANT, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.codec.purse import INFO_CORE_SIZE, Info, Spend
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.intent_rule import check_follows, planned_spend
from cardlib.keys.module import GrantReading, SpendReading
from cardlib.keys.suites import suite_of
from cardlib.ports import Randomness
from cardlib.wire import sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.entry_body import Intent
from cardlib.wire.entry_header import ModuleClass

RANDOM_SIZE = 8
REQUEST_BASE_START = b'"@method": '
"""First bytes of what is signed for a request (RFC 9421, 2.5); COSE structures start otherwise."""
_CORE_KEYED = slice(0, 14)
"""INFO bytes that decide keys; a till may meet the same purse with another expiry."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """Secrets of a terminal: its signing key and the masters of the issuers it serves."""

    signing: SigningKey
    masters: tuple[DebitMaster, ...] = ()
    purse_keys: dict[bytes, DebitKeys] = field(default_factory=dict)
    """Keys derived for enrolled purses (by INFO bytes 0-13), where a town allows no master."""

    def debit_keys(self, info: Info) -> DebitKeys | None:
        """Keys of one purse, or None when this terminal does not serve it."""
        derived = self.purse_keys.get(info.core[_CORE_KEYED])
        if derived is not None:
            return derived
        for master in self.masters:
            if (master.issuer, master.key_set) == (info.issuer, info.key_set):
                return DebitKeys.derive(master.key, info)
        return None


class SoftModule:
    """Implements ``SecurityModule`` with a :class:`KeyRing` in memory."""

    module_class = ModuleClass.SOFT

    def __init__(self, ring: KeyRing, randomness: Randomness) -> None:
        self._ring = ring
        self._randomness = randomness

    @property
    def public_key(self) -> PublicKey:
        """The terminal's key."""
        return self._ring.signing.public

    def sign_entry(self, payload: bytes) -> bytes:
        """Signs a journal entry."""
        return sign1.sign(self._ring.signing, payload, sign1.ENTRY_AAD)

    def sign_request(self, base: bytes) -> bytes:
        """Signs what can only be the base of an HTTP request, never another document."""
        if not base.startswith(REQUEST_BASE_START):
            raise AuthenticityError("MODULE_NO_REQUEST")
        return self._ring.signing.sign(base)

    def serves(self, info: Info) -> bool:
        """Whether keys for this purse are here."""
        return self._ring.debit_keys(info) is not None

    def open(self, info: Info, challenge: bytes) -> "SoftSession":
        """Opens a session and only then makes the random."""
        keys = self._keys(info)
        random = self._randomness.bytes(RANDOM_SIZE)
        return SoftSession(info, challenge, random, keys, self.public_key)

    def record_of(self, intent: bytes) -> bytes:
        """Rebuilds the record of an own intent."""
        entry, body = own_intent(intent, self.public_key)
        keys = self._keys(Info.from_core(body.info_core))
        return records.seal_spend(keys.record, planned_spend(entry, body))

    def open_record(self, info: Info, record: bytes) -> Spend | None:
        """Decrypts a record of a served purse."""
        return records.open_spend(self._keys(info).record, record)

    def _keys(self, info: Info) -> DebitKeys:
        keys = self._ring.debit_keys(info)
        if keys is None:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        return keys


class SoftSession:
    """One challenge, one random, at most one UPDATE."""

    def __init__(
        self, info: Info, challenge: bytes, random: bytes, keys: DebitKeys, terminal: PublicKey
    ) -> None:
        self.random = random
        self._info = info
        self._challenge: bytes | None = challenge
        self._keys = keys
        self._suite = suite_of(info.suite)
        self._terminal = terminal
        self._readings: dict[int, SpendReading] = {}
        self._update: Command | None = None

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """Verifies, remembers and decrypts one EF.SPEND record."""
        record = self._open(index, EF_SPEND.read_p2, response, EF_SPEND.record_size)
        reading = SpendReading(index, record, records.open_spend(self._keys.record, record))
        self._readings[index] = reading
        return reading

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """Verifies and decrypts one EF.GRANT record."""
        record = self._open(number, EF_GRANT.read_p2, response, EF_GRANT.record_size)
        return GrantReading(number, record, records.open_grant(self._keys.record, record))

    def update_spend(self, intent: bytes) -> Command:
        """The one UPDATE RECORD; a second call is refused."""
        entry, body = own_intent(intent, self._terminal)
        newest = self._newest()
        if self._challenge is None or newest is None or newest.spend is None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        if body.info_core != self._info.core or body.newest_record != newest.record:
            raise AuthenticityError("MODULE_OTHER_CARD")
        spend = planned_spend(entry, body)
        check_follows(body, spend, newest.spend, newest.record)
        challenge, self._challenge = self._challenge, None
        plain = Command(
            0x00, 0xDC, 0, EF_SPEND_APPEND_P2, records.seal_spend(self._keys.record, spend)
        )
        self._update = secure_messaging.protect(self._suite, self._keys.command, challenge, plain)
        return self._update

    def update_confirmed(self, response: Response) -> bool:
        """Checks the answer's MAC over this session's random."""
        if self._update is None:
            return False
        return secure_messaging.write_confirmed(
            self._suite, self._keys.response, self.random, self._update, response
        )

    def _open(self, number: int, read_p2: int, response: Response, size: int) -> bytes:
        command = secure_messaging.read_record_command(number, read_p2, size)
        return secure_messaging.open_record_answer(
            self._suite, self._keys.response, self.random, command, response, size
        )

    def _newest(self) -> SpendReading | None:
        """The first record from #1 that decrypts, when all above it were read and are torn."""
        for index in range(1, EF_SPEND.records + 1):
            reading = self._readings.get(index)
            if reading is None or reading.spend is not None:
                return reading
        return None


def own_intent(intent: bytes, terminal: PublicKey) -> tuple[Entry, Intent]:
    """Decodes an intent that ``terminal`` signed; AuthenticityError for anything else."""
    entry = decode_entry(intent)
    entry.verify(terminal)
    if not isinstance(entry.body, Intent) or len(entry.body.info_core) != INFO_CORE_SIZE:
        raise AuthenticityError("MODULE_NO_INTENT")
    return entry, entry.body
