"""Keys of purses from the key store's masters, kept for the length of one request."""

from backend.adapters.key_store import KeyStore
from cardlib.codec.purse import Info, Spend
from cardlib.keys import attestation, records
from cardlib.keys.derivation import DebitKeys, IssuerMasters, KeyUse, derive
from cardlib.wire.entry_body import AttestedRead

_CORE_KEYED = slice(0, 14)
"""INFO bytes that decide keys."""


class PurseKeyring:
    """Opens records of purses and checks their attestations.

    Every method raises KeyStoreError when the purse's issuer or key set is not here.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._debit: dict[bytes, DebitKeys] = {}
        self._attest: dict[bytes, bytes] = {}

    def open_spend(self, info: Info, record: bytes) -> Spend | None:
        """The record in clear; None when it does not decrypt."""
        return records.open_spend(self._debit_keys(info).record, record)

    def seal_spend(self, info: Info, spend: Spend) -> bytes:
        """The record as it lies on the card."""
        return records.seal_spend(self._debit_keys(info).record, spend)

    def is_attested(self, info: Info, read: AttestedRead) -> bool:
        """Whether the card itself answered this record for this random."""
        if read.tc is None:
            return False
        place = info.core[_CORE_KEYED]
        if place not in self._attest:
            self._attest[place] = derive(self._masters(info).attest, KeyUse.ATTEST, info)
        return attestation.is_genuine(
            self._attest[place], info, read.index, read.record, read.random, read.tc
        )

    def _debit_keys(self, info: Info) -> DebitKeys:
        place = info.core[_CORE_KEYED]
        if place not in self._debit:
            self._debit[place] = DebitKeys.derive(self._masters(info).debit, info)
        return self._debit[place]

    def _masters(self, info: Info) -> IssuerMasters:
        return self._keys.masters(info.issuer, info.key_set)
