"""What chips truly hold, read from their memory: every record ever written, every grant.

No dialogue and no shim is between: this is the ground truth that journals and ledger are held
against. A card is looked at when its lists differ from the copy kept here; each record is
decrypted once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_BUONO_LAST,
    DF_SERVICES,
    EF_GRANT,
    EF_INFO,
    EF_SPEND,
)
from cardlib.codec.purse import ZERO_TOTALS, Info, Spend, Totals
from cardlib.errors import CardlibError
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, KeyUse, derive
from cardlib.keys.grants import SignedGrant
from cardlib.wire.ids import PurseId
from simulator.card.filesystem import Directory, ElementaryFile
from simulator.town.checks.evidence import CardSeen, breach

Masters = Callable[[bytes, int], IssuerMasters]
_LOST = "TOWN_CARD_UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Written:
    """A record that a chip has written, in clear; ``before`` are the totals below it."""

    record: bytes
    hash: bytes
    spend: Spend
    before: Totals
    look: int
    """At which look it was first seen."""

    def taken(self) -> dict[int, int]:
        """Cents by slot that it took; below zero for what it gave back."""
        changes = zip(self.spend.spent, self.before, strict=True)
        return {slot: new - old for slot, (new, old) in enumerate(changes, 1) if new != old}

    @property
    def cents(self) -> int:
        """All slots together."""
        return sum(self.spend.spent) - sum(self.before)


@dataclass(slots=True)
class PurseTruth:
    """One purse on one chip: ``chain`` by counter, ``grants`` by number as they lie there now."""

    purse: PurseId
    info: Info
    keys: list[bytes] = field(default_factory=list)
    chain: dict[int, Written] = field(default_factory=dict)
    top: int = -1
    """Counter of the newest record; -1 before personalisation is through."""
    grants: dict[int, SignedGrant] = field(default_factory=dict)
    ever: dict[int, SignedGrant] = field(default_factory=dict)
    """Every grant that was ever on it, by number."""

    @property
    def spent(self) -> Totals:
        """S_card by slot."""
        return self.chain[self.top].spend.spent if self.top >= 0 else ZERO_TOTALS

    def granted(self, slot: int) -> SignedGrant | None:
        """G_card: the grant that wins the slot."""
        ours = [item for item in self.grants.values() if item.grant.slot == slot]
        return max(ours, key=lambda item: item.grant.grant_seq, default=None)


@dataclass(slots=True)
class CardChange:
    """What is new on one purse since the last look."""

    truth: PurseTruth
    written: list[Written] = field(default_factory=list)
    granted: list[SignedGrant] = field(default_factory=list)


class _Place:
    """One purse directory, with copies of its files as they were last seen."""

    __slots__ = ("copies", "directory", "truth")

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.copies: list[tuple[ElementaryFile, list[bytes]]] = []
        self.truth: PurseTruth | None = None

    def changed(self) -> bool:
        files, copies = self.directory.files, self.copies
        if len(files) == len(copies):
            for file, (known, copy) in zip(files, copies, strict=True):
                if file is not known or file.records != copy:
                    break
            else:
                return False
        self.copies = [(file, list(file.records)) for file in files]
        return True

    def records(self, fid: int) -> list[bytes]:
        file = self.directory.file(fid)
        return file.records if file else []


class _Card:
    """One chip: where its services lie, and the purses found there."""

    __slots__ = ("card", "mf", "places", "services")

    def __init__(self, card: CardSeen) -> None:
        self.card = card
        self.mf: Directory | None = None
        self.services: Directory | None = None
        self.places: list[_Place] = []

    def purses(self) -> list[_Place]:
        mf = self.card.memory.mf
        if mf is not self.mf:  # new, or read from its image again
            self.mf, self.services = mf, self.card.memory.find((DF_SERVICES,))
            self._find(anew=True)
        elif self.services is not None and len(self.services.directories) != len(self.places):
            self._find(anew=False)
        elif self.services is None:
            self.services = self.card.memory.find((DF_SERVICES,))
        return self.places

    def _find(self, *, anew: bool) -> None:
        directories = self.services.directories if self.services else []
        for at, directory in enumerate(directories):
            if at == len(self.places):
                self.places.append(_Place(directory))
            elif anew:
                self.places[at].directory = directory


class CardWatch:
    """Every chip of the town. ``rogue``: purses of which nothing is concluded here."""

    def __init__(self, masters: Masters, rogue: set[PurseId]) -> None:
        self._masters = masters
        self._rogue = rogue
        self._cards: list[_Card] = []
        self._keys: dict[bytes, bytes] = {}
        self.looks = 0
        """How often the cards were looked at."""
        self.purses: dict[PurseId, PurseTruth] = {}

    def look(self, cards: Sequence[CardSeen]) -> list[CardChange]:
        """What changed on any chip; TownError ``TOWN_CARD_UNEXPLAINED`` for what no chip does."""
        self._cards += [_Card(card) for card in cards[len(self._cards) :]]
        self.looks += 1
        changes = [
            self._read(place) for card in self._cards for place in card.purses() if place.changed()
        ]
        return [change for change in changes if change is not None]

    def _read(self, place: _Place) -> CardChange | None:
        of_purse = DF_BUONO_FIRST <= place.directory.fid <= DF_BUONO_LAST
        info = _info(place) if of_purse else None
        if info is None:
            return None
        purse = PurseId(info.issuer, info.purse)
        if place.truth is None:
            place.truth = PurseTruth(purse, info)
            if purse in self.purses:
                self._rogue.add(purse)  # two chips: whoever made the second one declared it
            self.purses.setdefault(purse, place.truth)
        truth, change = place.truth, CardChange(place.truth)
        truth.info = info
        self._learn_key(truth)
        self._read_ring(place, truth, change)
        self._read_grants(place, truth, change)
        return change

    def _learn_key(self, truth: PurseTruth) -> None:
        core = truth.info.core
        if core not in self._keys:
            masters = self._masters(truth.info.issuer, truth.info.key_set)
            self._keys[core] = derive(masters.debit, KeyUse.DEBIT_RECORD, truth.info)
        if self._keys[core] not in truth.keys:
            truth.keys.insert(0, self._keys[core])

    # the ring ---------------------------------------------------------------------------------

    def _read_ring(self, place: _Place, truth: PurseTruth, change: CardChange) -> None:
        known = {written.record: ctr for ctr, written in truth.chain.items()}
        ring: list[tuple[bytes, Spend]] = []
        for record in place.records(EF_SPEND.fid):
            at = known.get(record)
            spend = truth.chain[at].spend if at is not None else _open(truth, record)
            if spend is not None and not (ring and ring[-1][0] == record):
                ring.append((record, spend))
        if not ring:
            return
        self._check_ring(truth, ring)
        for record, spend in reversed(ring):
            if record not in known:
                change.written.append(self._learn(truth, record, spend))
        truth.top = ring[0][1].ctr

    def _check_ring(self, truth: PurseTruth, ring: Sequence[tuple[bytes, Spend]]) -> None:
        """What a chip keeps is its newest records without a gap, and it forgets none of them."""
        if truth.purse in self._rogue:
            return
        counters = [spend.ctr for _, spend in ring]
        whole = list(range(counters[0], counters[0] - len(counters), -1))
        if counters != whole or counters[0] < truth.top:
            raise breach(_LOST, 2, truth.purse, f"its ring holds {counters}, was at {truth.top}")
        for record, spend in ring:
            other = truth.chain.get(spend.ctr)
            if other is not None and other.record != record:
                raise breach(_LOST, 2, truth.purse, f"record {spend.ctr} is another one now")

    def _learn(self, truth: PurseTruth, record: bytes, spend: Spend) -> Written:
        below = truth.chain.get(spend.ctr - 1)
        honest = truth.purse not in self._rogue
        if below is None and honest and truth.chain:
            raise breach(_LOST, 2, truth.purse, f"record {spend.ctr} follows nothing known")
        if below is not None and honest and below.hash[:4] != spend.prev:
            raise breach(_LOST, 2, truth.purse, f"record {spend.ctr} names another predecessor")
        before = below.spend.spent if below else (spend.spent if truth.chain else ZERO_TOTALS)
        written = Written(record, sha256(record).digest(), spend, before, self.looks)
        truth.chain[spend.ctr] = written
        return written

    # the wallets ------------------------------------------------------------------------------

    def _read_grants(self, place: _Place, truth: PurseTruth, change: CardChange) -> None:
        found: dict[int, SignedGrant] = {}
        for record in place.records(EF_GRANT.fid):
            signed = _open_grant(truth, record) if any(record) else None
            if signed is not None:
                found[signed.grant.grant_seq] = signed
        change.granted = [one for number, one in found.items() if truth.ever.get(number) != one]
        truth.ever.update({one.grant.grant_seq: one for one in change.granted})
        truth.grants = found


def _info(place: _Place) -> Info | None:
    content = place.records(EF_INFO.fid)
    try:
        info = Info.decode(content[0]) if content else None
    except CardlibError:
        return None
    return info if info is not None and any(info.issuer) else None


def _open(truth: PurseTruth, record: bytes) -> Spend | None:
    opened = (records.open_spend(key, record) for key in truth.keys)
    return next((spend for spend in opened if spend is not None), None)


def _open_grant(truth: PurseTruth, record: bytes) -> SignedGrant | None:
    for key in truth.keys:
        signed = records.open_grant(key, record)
        if signed is not None:
            return signed
    return None
