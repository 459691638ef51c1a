"""The secrets of one till, sealed under a passphrase in its directory.

CBOR map in the key file (``cardlib.keys.key_file``): 1 format, 2 seed of the
terminal's signing key, 3 seed of its box key (enrolment), 4 key of the journal,
5 the operator's public key (empty before enrolment), 6 the module keys.
With a module card 2 and 3 are empty, 6 holds no keys, and 7 is ``[public key, PIN]``.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from cardlib.errors import AuthenticityError, MalformedError
from cardlib.keys import key_file
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.soft_module import KeyRing
from cardlib.ports import Randomness
from cardlib.wire import cbor
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import EnrolmentRequest, ModuleKeys
from cardlib.wire.fields import Fields, as_bytes, as_text
from terminal.storage import Storage
from terminal.system_storage import SYSTEM

FORMAT = 1
_SEED = 32


@dataclass(frozen=True, slots=True, repr=False)
class BoundModule:
    """The one module card of a till, and the PIN that opens it."""

    public_key: PublicKey
    pin: str


@dataclass(frozen=True, slots=True, repr=False)
class TillKeys:
    """What a till keeps secret; ``operator`` is whom it believes, pinned at enrolment.

    With a module ``card`` both seeds are empty: those keys are on the card.
    """

    signing_seed: bytes
    box_seed: bytes
    journal: bytes
    operator: PublicKey | None = None
    module: ModuleKeys = field(default_factory=lambda: ModuleKeys(()))
    card: BoundModule | None = None

    @classmethod
    def generate(cls, randomness: Randomness, card: BoundModule | None = None) -> Self:
        """Fresh keys for a till that is to be enrolled; with ``card`` only the journal's."""
        if card is not None:
            return cls(b"", b"", randomness.bytes(_SEED), card=card)
        return cls(randomness.bytes(_SEED), randomness.bytes(_SEED), randomness.bytes(_SEED))

    @property
    def public_key(self) -> PublicKey:
        """The terminal's public key, wherever its private half is."""
        return self.signing.public if self.card is None else self.card.public_key

    @property
    def signing(self) -> SigningKey:
        """The terminal's key, where it is a software module's."""
        return SigningKey(self.signing_seed)

    @property
    def ring(self) -> KeyRing:
        """What the software module is made of."""
        kept = {
            item.core: DebitKeys(item.command, item.response, item.record)
            for item in self.module.purses
        }
        return KeyRing(self.signing, self.module.masters, kept)

    def request(self, code: str) -> bytes:
        """The signed enrolment request for a one-time ``code``."""
        return EnrolmentRequest(code, self.signing.public, self.box_key).sign(self.signing)

    def enrolled(self, operator: PublicKey, sealed_module_keys: bytes) -> Self:
        """These keys with what the backend sealed for them; a module card has its own.

        AuthenticityError ``ENROLMENT_SEAL`` when it was sealed for another till.
        """
        if self.card is not None:
            return replace(self, operator=operator)
        return replace(self, operator=operator, module=self.unsealed(sealed_module_keys))

    def unsealed(self, sealed_module_keys: bytes) -> ModuleKeys:
        """What the backend sealed for this till; AuthenticityError ``ENROLMENT_SEAL``."""
        try:
            opened = SealedBox(PrivateKey(self.box_seed)).decrypt(sealed_module_keys)
        except CryptoError as error:
            raise AuthenticityError("ENROLMENT_SEAL") from error
        return ModuleKeys.decode(opened)

    @property
    def box_key(self) -> bytes:
        """The public key that module keys are sealed to."""
        return bytes(PrivateKey(self.box_seed).public_key)

    def write(
        self, path: Path, passphrase: str, randomness: Randomness, storage: Storage = SYSTEM
    ) -> None:
        """Seals the keys into ``path``, durably."""
        operator = b"" if self.operator is None else self.operator.raw
        fields: dict[int, cbor.Value] = {
            1: FORMAT, 2: self.signing_seed, 3: self.box_seed, 4: self.journal,
            5: operator, 6: self.module.encode(),
        }  # fmt: skip
        if self.card is not None:
            fields[7] = [self.card.public_key.raw, self.card.pin]
        sealed = key_file.seal(cbor.encode(fields), passphrase, randomness)
        storage.write(path, sealed, private=True)

    @classmethod
    def read(cls, path: Path, passphrase: str, storage: Storage = SYSTEM) -> Self:
        """Unseals ``path``; AuthenticityError ``PASSPHRASE_WRONG``."""
        fields = Fields.decode(key_file.unseal(storage.read(path), passphrase), "till keys")
        if fields.uint(1) != FORMAT:
            raise MalformedError("till keys", "unknown format", "KEY_FILE_VERSION")
        card = _bound(fields.list(7, 2)) if fields.has(7) else None
        seed = _SEED if card is None else 0
        signing, box, journal = fields.bytes(2, seed), fields.bytes(3, seed), fields.bytes(4, _SEED)
        operator = fields.bytes(5)
        module = ModuleKeys.decode(fields.bytes(6))
        fields.end()
        return cls(signing, box, journal, PublicKey(operator) if operator else None, module, card)


def _bound(items: list[cbor.Value]) -> BoundModule:
    return BoundModule(PublicKey(as_bytes(items[0], "module")), as_text(items[1], "module"))
