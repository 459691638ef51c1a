"""The key store: every private key and master of an installation.

``KeyStore`` is the port; ``FileKeyStore`` keeps everything in one file sealed under
a passphrase. The file's content is a canonical CBOR map: 1 operator seed (32) or
null, 2 ``[[issuer, key set, debit, attest, load, admin]]``, 3 ``[[issuer, key id,
seed]]``, 4 ``[[stock serial, command, response, encipher]]``.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from backend.errors import ConflictError, KeyStoreError
from cardlib.keys import key_file
from cardlib.keys.derivation import MASTER_SIZE, IssuerMasters
from cardlib.keys.training import (
    TRAINING_GRANT_KEY,
    TRAINING_GRANT_SEED,
    TRAINING_KEY_SET,
    TRAINING_MASTERS,
)
from cardlib.ports import Randomness
from cardlib.wire import cbor
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import KEY_SIZE, SigningKey
from cardlib.wire.fields import Fields, as_bytes, as_list, as_text, as_uint
from cardlib.wire.ids import TRAINING_ISSUER

_WHAT = "key store"


@dataclass(frozen=True, slots=True, repr=False)
class TransportKeys:
    """The three keys of a stock card: command MAC, answer MAC, encipherment; 16 bytes each."""

    command: bytes
    response: bytes
    encipher: bytes


class KeyStore(Protocol):
    """Hands out keys to the services; KeyStoreError when one is not here."""

    def operator_key(self) -> SigningKey:
        """Signs certificates, acknowledgements, bundles and answers."""
        ...

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """The four masters of an issuer's key set."""
        ...

    def grant_key(self, issuer: bytes, key_id: int) -> SigningKey:
        """Signs grants, and nothing else."""
        ...

    def transport_keys(self, serial: str) -> TransportKeys:
        """The keys of a stock card that is not yet personalised."""
        ...

    def has_operator(self) -> bool:
        """Whether there is an operator's key."""
        ...

    def has_masters(self, issuer: bytes, key_set: int) -> bool:
        """Whether the masters of a key set are here."""
        ...

    def key_sets(self, issuer: bytes) -> tuple[int, ...]:
        """The key sets of an issuer whose masters are here, ascending."""
        ...

    def has_grant_key(self, issuer: bytes, key_id: int) -> bool:
        """Whether a grant key is here."""
        ...

    def create_operator(self) -> SigningKey:
        """Makes the operator's key; ConflictError when there is one."""
        ...

    def create_masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """Makes the masters of a key set; ConflictError when they are here."""
        ...

    def create_grant_key(self, issuer: bytes, key_id: int) -> SigningKey:
        """Makes a grant key; ConflictError when it is here."""
        ...

    def add_transport_keys(self, serial: str, keys: TransportKeys) -> None:
        """Takes over a stock card's keys; ConflictError when others are here for it."""
        ...


@dataclass(slots=True, repr=False)
class _Content:
    operator: bytes | None = None
    masters: dict[tuple[bytes, int], IssuerMasters] = field(default_factory=dict)
    grant_keys: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    transport: dict[str, TransportKeys] = field(default_factory=dict)

    def encode(self) -> bytes:
        masters: list[Value] = [
            [issuer, key_set, keys.debit, keys.attest, keys.load, keys.admin]
            for (issuer, key_set), keys in sorted(self.masters.items())
        ]
        grants: list[Value] = [[*key, seed] for key, seed in sorted(self.grant_keys.items())]
        transport: list[Value] = [
            [serial, keys.command, keys.response, keys.encipher]
            for serial, keys in sorted(self.transport.items())
        ]
        return cbor.encode({1: self.operator, 2: masters, 3: grants, 4: transport})

    @classmethod
    def decode(cls, data: bytes) -> "_Content":
        fields = Fields.decode(data, _WHAT)
        operator = fields.take(1)
        content = cls(None if operator is None else as_bytes(operator, _WHAT, KEY_SIZE))
        for row in fields.list(2):
            issuer, key_set, *four = as_list(row, _WHAT, 6)
            keys = IssuerMasters(*(as_bytes(key, _WHAT, MASTER_SIZE) for key in four))
            content.masters[as_bytes(issuer, _WHAT, 3), as_uint(key_set, _WHAT, 255)] = keys
        for row in fields.list(3):
            issuer, key_id, seed = as_list(row, _WHAT, 3)
            place = as_bytes(issuer, _WHAT, 3), as_uint(key_id, _WHAT, 255)
            content.grant_keys[place] = as_bytes(seed, _WHAT, KEY_SIZE)
        for row in fields.list(4):
            serial, *three = as_list(row, _WHAT, 4)
            transport = TransportKeys(*(as_bytes(key, _WHAT, 16) for key in three))
            content.transport[as_text(serial, _WHAT)] = transport
        fields.end()
        return content


@lru_cache(maxsize=4)
def _signing_key(seed: bytes) -> SigningKey:
    """Every answer is signed: the key's point is computed once."""
    return SigningKey(seed)


class MemoryKeyStore:
    """Keys in memory only: for tests, and the content of a file store."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self._content = _Content()

    def operator_key(self) -> SigningKey:
        """Signs certificates, acknowledgements, bundles and answers."""
        if self._content.operator is None:
            raise KeyStoreError(key="operator")
        return _signing_key(self._content.operator)

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """The four masters of an issuer's key set."""
        try:
            return self._content.masters[issuer, key_set]
        except KeyError as error:
            raise KeyStoreError(key=f"{issuer.hex()}/{key_set}") from error

    def grant_key(self, issuer: bytes, key_id: int) -> SigningKey:
        """Signs grants, and nothing else."""
        try:
            return SigningKey(self._content.grant_keys[issuer, key_id])
        except KeyError as error:
            raise KeyStoreError(key=f"{issuer.hex()}/grant {key_id}") from error

    def transport_keys(self, serial: str) -> TransportKeys:
        """The keys of a stock card that is not yet personalised."""
        try:
            return self._content.transport[serial]
        except KeyError as error:
            raise KeyStoreError(key=f"stock {serial}") from error

    def has_operator(self) -> bool:
        """Whether there is an operator's key."""
        return self._content.operator is not None

    def has_masters(self, issuer: bytes, key_set: int) -> bool:
        """Whether the masters of a key set are here."""
        return (issuer, key_set) in self._content.masters

    def key_sets(self, issuer: bytes) -> tuple[int, ...]:
        """The key sets of an issuer whose masters are here, ascending."""
        return tuple(sorted(number for town, number in self._content.masters if town == issuer))

    def has_grant_key(self, issuer: bytes, key_id: int) -> bool:
        """Whether a grant key is here."""
        return (issuer, key_id) in self._content.grant_keys

    def create_operator(self) -> SigningKey:
        """Makes the operator's key; ConflictError when there is one."""
        self._look_again()
        if self._content.operator is not None:
            raise ConflictError("KEY_EXISTS", key="operator")
        self._content.operator = self._randomness.bytes(KEY_SIZE)
        self._changed()
        return self.operator_key()

    def create_masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """Makes the masters of a key set; ConflictError when they are here.

        Training has the published ones: its keys are nobody's secret (PROTOCOL 2).
        """
        self._look_again()
        if (issuer, key_set) in self._content.masters:
            raise ConflictError("KEY_EXISTS", key=f"{issuer.hex()}/{key_set}")
        masters = IssuerMasters(*(self._randomness.bytes(MASTER_SIZE) for _ in range(4)))
        if (issuer, key_set) == (TRAINING_ISSUER, TRAINING_KEY_SET):
            masters = TRAINING_MASTERS
        self._content.masters[issuer, key_set] = masters
        self._changed()
        return masters

    def create_grant_key(self, issuer: bytes, key_id: int) -> SigningKey:
        """Makes a grant key; ConflictError when it is here. Training has the published one."""
        self._look_again()
        if (issuer, key_id) in self._content.grant_keys:
            raise ConflictError("KEY_EXISTS", key=f"{issuer.hex()}/grant {key_id}")
        seed = self._randomness.bytes(KEY_SIZE)
        if (issuer, key_id) == (TRAINING_ISSUER, TRAINING_GRANT_KEY):
            seed = TRAINING_GRANT_SEED
        self._content.grant_keys[issuer, key_id] = seed
        self._changed()
        return self.grant_key(issuer, key_id)

    def add_transport_keys(self, serial: str, keys: TransportKeys) -> None:
        """Takes over a stock card's keys; ConflictError when others are here for it."""
        self._look_again()
        if self._content.transport.get(serial, keys) != keys:
            raise ConflictError("STOCK_CARD_OTHER", serial=serial)
        self._content.transport[serial] = keys
        self._changed()

    def _look_again(self) -> None:
        """Nobody else adds keys."""

    def _changed(self) -> None:
        """Nothing to keep."""


class FileKeyStore(MemoryKeyStore):
    """Keys in one sealed file, written anew at every change.

    A service that runs for weeks sees what a command has added beside it: it reads the file
    again when that has changed. Whoever adds a key holds the database's writer lock, so that
    none is lost between two (docs/adr/0019).
    """

    def __init__(self, path: Path, passphrase: str, randomness: Randomness) -> None:
        super().__init__(randomness)
        self._path = path
        self._passphrase = passphrase
        self._seen: tuple[int, int] | None = None
        self._look_again()

    def has_masters(self, issuer: bytes, key_set: int) -> bool:
        """Whether the masters of a key set are here."""
        self._look_again()
        return super().has_masters(issuer, key_set)

    def key_sets(self, issuer: bytes) -> tuple[int, ...]:
        """The key sets of an issuer whose masters are here, ascending."""
        self._look_again()
        return super().key_sets(issuer)

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """The four masters of an issuer's key set."""
        self._look_again()
        return super().masters(issuer, key_set)

    def transport_keys(self, serial: str) -> TransportKeys:
        """The keys of a stock card that is not yet personalised."""
        self._look_again()
        return super().transport_keys(serial)

    def _look_again(self) -> None:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return
        if (now.st_mtime_ns, now.st_size) != self._seen:
            self._content = _Content.decode(key_file.read(self._path, self._passphrase))
            self._seen = now.st_mtime_ns, now.st_size

    def _changed(self) -> None:
        key_file.write(self._path, self._content.encode(), self._passphrase, self._randomness)
        now = self._path.stat()
        self._seen = now.st_mtime_ns, now.st_size
