"""Secrets at rest: a file sealed under a passphrase.

CBOR map: 1 format (1), 2 salt, 3 operations limit, 4 memory limit in bytes,
5 the sealed content (XSalsa20-Poly1305 under an Argon2id key, libsodium).
Written beside the old file and moved over it, mode 0600.
"""

from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from cardlib.durable import replace_file
from cardlib.errors import AuthenticityError, MalformedError
from cardlib.ports import Randomness
from cardlib.wire import cbor
from cardlib.wire.fields import Fields

FORMAT = 1
_OPERATIONS = 3
_MEMORY = 32 * 1024 * 1024
"""32 MiB: a shop's old PC opens its till in a tenth of a second; old files keep theirs."""
_MEMORY_MAX = argon2id.MEMLIMIT_SENSITIVE


def _box(passphrase: str, salt: bytes, operations: int, memory: int) -> SecretBox:
    key = argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, operations, memory)
    return SecretBox(key)


def seal(content: bytes, passphrase: str, randomness: Randomness) -> bytes:
    """The file's bytes."""
    salt = randomness.bytes(argon2id.SALTBYTES)
    nonce = randomness.bytes(SecretBox.NONCE_SIZE)
    sealed = bytes(_box(passphrase, salt, _OPERATIONS, _MEMORY).encrypt(content, nonce))
    return cbor.encode({1: FORMAT, 2: salt, 3: _OPERATIONS, 4: _MEMORY, 5: sealed})


def unseal(data: bytes, passphrase: str) -> bytes:
    """The content; AuthenticityError ``PASSPHRASE_WRONG`` when the passphrase does not fit."""
    fields = Fields.decode(data, "key file")
    if fields.uint(1) != FORMAT:
        raise MalformedError("key file", "unknown format", "KEY_FILE_VERSION")
    salt = fields.bytes(2, argon2id.SALTBYTES)
    operations, memory = fields.uint(3, 64), fields.uint(4, _MEMORY_MAX)
    sealed = fields.bytes(5)
    fields.end()
    try:
        return _box(passphrase, salt, operations, memory).decrypt(sealed)
    except CryptoError as error:
        raise AuthenticityError("PASSPHRASE_WRONG") from error


def write(path: Path, content: bytes, passphrase: str, randomness: Randomness) -> None:
    """Seals ``content`` into ``path``, durably."""
    replace_file(path, seal(content, passphrase, randomness), private=True)


def read(path: Path, passphrase: str) -> bytes:
    """Unseals ``path``."""
    return unseal(path.read_bytes(), passphrase)
