"""Keys of purses from the key store's masters.

Those that ingest needs over and over are kept in this process for the purses seen last;
they follow from a master that the process holds anyway.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from backend.adapters.key_store import KeyStore
from cardlib.codec.purse import Info, Spend
from cardlib.keys import attestation, records
from cardlib.keys.derivation import DebitKeys, IssuerMasters, KeyUse, PurseKeys, derive
from cardlib.wire.entry_body import AttestedRead

KEPT = 4096
"""Purses whose derived keys are kept."""


def purse_keys(keys: KeyStore, info: Info) -> PurseKeys:
    """All keys of a purse, with K_REC of its issuer's other key sets that are here.

    KeyStoreError when the key set that ``info`` names is not here.
    """
    derived = PurseKeys.derive(keys.masters(info.issuer, info.key_set), info)
    others = (
        derive(keys.masters(info.issuer, other.key_set).debit, KeyUse.DEBIT_RECORD, other)
        for other in _other_sets(keys, info)
    )
    return replace(derived, older_records=tuple(others))


def _other_sets(keys: KeyStore, info: Info) -> Iterator[Info]:
    for number in keys.key_sets(info.issuer):
        if number != info.key_set:
            yield replace(info, key_set=number)


@lru_cache(maxsize=KEPT)
def _debit_keys(master: bytes, info: Info) -> DebitKeys:
    return DebitKeys.derive(master, info)


@lru_cache(maxsize=KEPT)
def _attest_key(master: bytes, info: Info) -> bytes:
    return derive(master, KeyUse.ATTEST, info)


class PurseKeyring:
    """Opens records of purses and checks their attestations.

    Every method raises KeyStoreError when the purse's issuer or key set is not here.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._numbers: dict[bytes, tuple[int, ...]] = {}
        self._of_issuer: dict[tuple[bytes, int], IssuerMasters] = {}

    @property
    def store(self) -> KeyStore:
        """Where its keys come from."""
        return self._keys

    def open_spend(self, info: Info, record: bytes) -> Spend | None:
        """The record in clear; None when it does not decrypt.

        A purse whose key set was changed keeps the records of the one before.
        """
        for item in self._every_set(info):
            spend = records.open_spend(self._debit_keys(item).record, record)
            if spend is not None:
                return spend
        return None

    def seal_spend(self, info: Info, spend: Spend) -> bytes:
        """The record as it lies on the card."""
        return records.seal_spend(self._debit_keys(info).record, spend)

    def is_attested(self, info: Info, read: AttestedRead) -> bool:
        """Whether the card itself answered this record for this random.

        A sale of before a key-set change may be attested after it, under the new K_TC.
        """
        sets = self._every_set(info)
        return read.tc is not None and any(self._attested_under(item, read) for item in sets)

    def _every_set(self, info: Info) -> tuple[Info, ...]:
        """The purse under its own key set, then under its issuer's others."""
        if info.issuer not in self._numbers:
            self._numbers[info.issuer] = self._keys.key_sets(info.issuer)
        others = (number for number in self._numbers[info.issuer] if number != info.key_set)
        return info, *(replace(info, key_set=number) for number in others)

    def is_of_oracle(self, info: Info, read: AttestedRead) -> bool:
        """Whether a legacy chip was there; it proves no record."""
        if read.tc is None:
            return False
        key = derive(self._masters(info).attest, KeyUse.ORACLE, info)
        return attestation.is_of_oracle(key, info, read.record, read.random, read.tc)

    def _attested_under(self, info: Info, read: AttestedRead) -> bool:
        assert read.tc is not None
        key = _attest_key(self._masters(info).attest, info)
        return attestation.is_genuine(key, info, read.index, read.record, read.random, read.tc)

    def _debit_keys(self, info: Info) -> DebitKeys:
        return _debit_keys(self._masters(info).debit, info)

    def _masters(self, info: Info) -> IssuerMasters:
        place = info.issuer, info.key_set
        if place not in self._of_issuer:
            self._of_issuer[place] = self._keys.masters(*place)
        return self._of_issuer[place]
