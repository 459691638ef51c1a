"""The secrets of one till, sealed under a passphrase in its directory.

CBOR map in the key file (``cardlib.keys.key_file``): 1 format, 2 seed of the
terminal's signing key, 3 seed of its box key (enrolment), 4 key of the journal,
5 the operator's public key (empty before enrolment), 6 the module keys.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from cardlib.errors import AuthenticityError, MalformedError
from cardlib.keys import key_file
from cardlib.keys.soft_module import KeyRing
from cardlib.ports import Randomness
from cardlib.wire import cbor
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import EnrolmentRequest, ModuleKeys
from cardlib.wire.fields import Fields

FORMAT = 1
_SEED = 32


@dataclass(frozen=True, slots=True, repr=False)
class TillKeys:
    """What a till keeps secret; ``operator`` is whom it believes, pinned at enrolment."""

    signing_seed: bytes
    box_seed: bytes
    journal: bytes
    operator: PublicKey | None = None
    module: ModuleKeys = field(default_factory=lambda: ModuleKeys(()))

    @classmethod
    def generate(cls, randomness: Randomness) -> Self:
        """Fresh keys for a till that is to be enrolled."""
        return cls(randomness.bytes(_SEED), randomness.bytes(_SEED), randomness.bytes(_SEED))

    @property
    def signing(self) -> SigningKey:
        """The terminal's key: signs entries (through the module) and requests."""
        return SigningKey(self.signing_seed)

    @property
    def ring(self) -> KeyRing:
        """What the software module is made of."""
        return KeyRing(self.signing, self.module.masters)

    def request(self, code: str) -> bytes:
        """The signed enrolment request for a one-time ``code``."""
        box_key = bytes(PrivateKey(self.box_seed).public_key)
        return EnrolmentRequest(code, self.signing.public, box_key).sign(self.signing)

    def enrolled(self, operator: PublicKey, sealed_module_keys: bytes) -> Self:
        """These keys with what the backend sealed for them.

        AuthenticityError ``ENROLMENT_SEAL`` when it was sealed for another till.
        """
        try:
            opened = SealedBox(PrivateKey(self.box_seed)).decrypt(sealed_module_keys)
        except CryptoError as error:
            raise AuthenticityError("ENROLMENT_SEAL") from error
        return replace(self, operator=operator, module=ModuleKeys.decode(opened))

    def write(self, path: Path, passphrase: str, randomness: Randomness) -> None:
        """Seals the keys into ``path``, durably."""
        operator = b"" if self.operator is None else self.operator.raw
        content = cbor.encode(
            {
                1: FORMAT, 2: self.signing_seed, 3: self.box_seed, 4: self.journal,
                5: operator, 6: self.module.encode(),
            }
        )  # fmt: skip
        key_file.write(path, content, passphrase, randomness)

    @classmethod
    def read(cls, path: Path, passphrase: str) -> Self:
        """Unseals ``path``; AuthenticityError ``PASSPHRASE_WRONG``."""
        fields = Fields.decode(key_file.read(path, passphrase), "till keys")
        if fields.uint(1) != FORMAT:
            raise MalformedError("till keys", "unknown format", "KEY_FILE_VERSION")
        signing, box, journal = (fields.bytes(number, _SEED) for number in (2, 3, 4))
        operator = fields.bytes(5)
        module = ModuleKeys.decode(fields.bytes(6))
        fields.end()
        return cls(signing, box, journal, PublicKey(operator) if operator else None, module)
