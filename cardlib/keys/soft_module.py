"""``SoftModule``: a security module in software, its keys from an encrypted file.

Sales through it carry ``module_class = soft`` and lower offline limits: what
a leaked key can do is in PROTOCOL 8.
"""

from dataclasses import dataclass, field, replace

from cardlib.codec.purse import Info, Spend
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.intent_rule import planned_spend
from cardlib.keys.soft_applet import SoftAppletSession
from cardlib.keys.soft_legacy import SoftLegacySession
from cardlib.keys.soft_session import SoftSession, own_intent
from cardlib.ports import Randomness
from cardlib.wire import sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry_header import ModuleClass

RANDOM_SIZE = 8
REQUEST_BASE_START = b'"@method": '
"""First bytes of what is signed for a request (RFC 9421, 2.5); COSE structures start otherwise."""
_CORE_KEYED = slice(0, 14)
"""INFO bytes that decide keys; a till may meet the same purse with another expiry."""
_KEY_SET = 13
"""The last of them."""


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

    def other_sets(self, info: Info) -> tuple[DebitKeys, ...]:
        """Keys of the same purse under the other key sets that are here."""
        numbers = {master.key_set for master in self.masters if master.issuer == info.issuer} | {
            place[_KEY_SET] for place in self.purse_keys if place[:_KEY_SET] == info.core[:_KEY_SET]
        }
        infos = (replace(info, key_set=number) for number in sorted(numbers - {info.key_set}))
        return tuple(keys for other in infos if (keys := self.debit_keys(other)) is not None)


class SoftModule:
    """Implements ``SecurityModule`` with a :class:`KeyRing` in memory."""

    module_class = ModuleClass.SOFT

    def __init__(self, ring: KeyRing, randomness: Randomness) -> None:
        self._ring = ring
        self._randomness = randomness

    @property
    def key_sets(self) -> tuple[tuple[bytes, int], ...]:
        """Issuer and number of every key set whose master is here."""
        return tuple((item.issuer, item.key_set) for item in self._ring.masters)

    def take_masters(self, masters: tuple[DebitMaster, ...]) -> None:
        """Holds these masters beside those it has; sessions under way go on with theirs."""
        known = {(item.issuer, item.key_set): item for item in (*self._ring.masters, *masters)}
        self._ring = replace(self._ring, masters=tuple(known.values()))

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

    def open(self, info: Info, challenge: bytes) -> SoftSession:
        """Opens a session and only then makes the random."""
        keys = self._keys(info)
        random = self._randomness.bytes(RANDOM_SIZE)
        others = self._ring.other_sets(info)
        return SoftSession(info, challenge, random, keys, self.public_key, others)

    def initialise(self) -> SoftAppletSession:
        """Opens a session with an applet card."""
        random = self._randomness.bytes(RANDOM_SIZE)
        return SoftAppletSession(random, self._keys, self.public_key)

    def open_legacy(self, info: Info, limit_cents: int) -> SoftLegacySession:
        """Opens a session with a legacy chip."""
        keys, random = self._keys(info), self._randomness.bytes(RANDOM_SIZE)
        return SoftLegacySession(info, random, keys, self.public_key, limit_cents)

    def record_of(self, intent: bytes) -> bytes:
        """Rebuilds the record of an own intent."""
        entry, body = own_intent(intent, self.public_key)
        keys = self._keys(Info.from_core(body.info_core))
        return records.seal_spend(keys.record, planned_spend(entry, body))

    def open_record(self, info: Info, record: bytes) -> Spend | None:
        """Decrypts a record of a served purse."""
        return records.open_spend(self._keys(info).record, record)

    def rest(self) -> None:
        """Nothing is held."""

    def _keys(self, info: Info) -> DebitKeys:
        keys = self._ring.debit_keys(info)
        if keys is None:
            raise PurseRefusedError("PURSE_NOT_SERVED", issuer=info.issuer_code)
        return keys
