"""Laws 2 and 12 at the backend: what it takes for proven, a chip has truly certified.

Every attestation that is stored carries a tc that the purse's attestation key makes (checked
anew here), over a record that the chip has written. A record counts as attested only with one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cardlib.codec.purse import Info
from cardlib.errors import CodedError
from cardlib.keys import attestation
from cardlib.keys.derivation import IssuerMasters, KeyUse, derive
from cardlib.wire.ids import PurseId
from simulator.town.checks.cards import PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.sql import Sql

_NEW = (
    "SELECT a.id, m.issuer, p.number, p.info_core, a.ctr, a.record, a.record_index, a.random, a.tc"
    " FROM attestation a JOIN purse p ON p.id = a.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE a.id > ? ORDER BY a.id"
)
_UNATTESTED = (
    "SELECT r.purse_id, r.ctr FROM card_record r WHERE r.attested AND NOT EXISTS (SELECT 1"
    " FROM attestation a WHERE a.purse_id = r.purse_id AND a.ctr = r.ctr"
    " AND a.record_hash = r.record_hash)"
)


@dataclass(slots=True)
class ProofWatch:
    """Every attestation."""

    masters: Callable[[bytes, int], IssuerMasters]
    purses: Mapping[PurseId, PurseTruth]
    declared: Declared
    last: int = 0
    _keys: dict[tuple[bytes, int], tuple[Info, bytes]] = field(default_factory=dict)

    def check(self, sql: Sql) -> None:
        """What is new; TownError ``TOWN_PROOF_UNCHECKED``."""
        for number, issuer, purse, core, ctr, record, index, random, tc in sql.ask(_NEW, self.last):
            owner = PurseId(bytes(issuer), bytes(purse))
            self.last = number
            if not self.is_genuine(bytes(core), index, bytes(record), bytes(random), bytes(tc)):
                what = f"the tc of record {ctr} is not the chip's"
                raise breach("TOWN_PROOF_UNCHECKED", 12, owner, what)
            truth = self.purses.get(owner)
            if truth is None or owner in self.declared.rogue_purses:
                continue
            written = truth.chain.get(ctr)
            if written is None or written.record != bytes(record):
                what = f"record {ctr} is attested, but was never written"
                raise breach("TOWN_PROOF_UNCHECKED", 12, owner, what)

    def check_all(self, sql: Sql) -> None:
        """At the end: no record counts as attested without an attestation."""
        for purse, ctr in sql.ask(_UNATTESTED):
            what = f"record {ctr} counts as attested, but no tc is kept"
            raise breach("TOWN_PROOF_UNCHECKED", 12, f"purse {purse}", what)

    def is_genuine(self, core: bytes, index: int, record: bytes, random: bytes, tc: bytes) -> bool:
        """Whether the chip made ``tc``.

        Under the purse's key set, an earlier one, or the one that it is just changing to.
        """
        newest = Info.from_core(core).key_set
        return any(
            attestation.is_genuine(key, info, index, record, random, tc)
            for info, key in self._keys_of(core, range(newest + 1, 0, -1))
        )

    def _keys_of(self, core: bytes, key_sets: Iterable[int]) -> Iterator[tuple[Info, bytes]]:
        for key_set in key_sets:
            with suppress(CodedError):  # the next one is not announced yet
                yield self._key(core, key_set)

    def _key(self, core: bytes, key_set: int) -> tuple[Info, bytes]:
        if (core, key_set) not in self._keys:
            info = Info.from_core(core[:13] + bytes((key_set,)) + core[14:])
            masters = self.masters(info.issuer, key_set)
            self._keys[core, key_set] = info, derive(masters.attest, KeyUse.ATTEST, info)
        return self._keys[core, key_set]
