"""What the till knows from the signed bundle: whom to believe, whom to refuse, how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cardlib.wire.bundle import Bundle, Category, Decided, Limits, ProofRequest, Watermark
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.ids import PurseId, TerminalNumber


@dataclass(frozen=True, slots=True)
class BundleTrust:
    """Implements ``cardlib.keys.trust.Trust``; empty before the first bundle."""

    bundle: Bundle | None = None
    _keys: Mapping[tuple[bytes, int], PublicKey] = field(default_factory=dict)
    _marks: Mapping[PurseId, Watermark] = field(default_factory=dict)
    _hotlist: frozenset[PurseId] = frozenset()
    _card: bool = False
    """Whether this till's security module is a card."""

    @classmethod
    def of(cls, bundle: Bundle | None, *, card: bool = False) -> Self:
        """From a verified bundle; ``card`` where the till's security module is one."""
        if bundle is None:
            return cls()
        return cls(
            bundle,
            {(key.issuer, key.key_id): key.public_key for key in bundle.issuer_keys},
            {mark.purse: mark for mark in bundle.watermarks},
            frozenset(bundle.hotlist),
            card,
        )

    @property
    def limits(self) -> Limits:
        """Bounds of this till; those of module cards where the operator has set any."""
        if self.bundle is None:
            return Limits()
        own = self.bundle.card_limits if self._card else None
        return own or self.bundle.limits

    @property
    def categories(self) -> tuple[Category, ...]:
        """Categories of goods, in the operator's order."""
        return () if self.bundle is None else self.bundle.categories

    def decided(self, terminal: TerminalNumber) -> tuple[Decided, ...]:
        """Outcomes that ``terminal`` could not find out, and the backend did."""
        every = () if self.bundle is None else self.bundle.decided
        return tuple(item for item in every if item.terminal == terminal)

    @property
    def issuers(self) -> frozenset[bytes]:
        """Towns whose grants are believed. A card has at most one purse of each."""
        return frozenset(issuer for issuer, _ in self._keys)

    def issuer_key(self, issuer: bytes, key_id: int) -> PublicKey | None:
        """The key that signs the grants of ``issuer``, None when unknown."""
        return self._keys.get((issuer, key_id))

    def least_grant_seq(self, purse: PurseId) -> int:
        """Grants with a lower number are superseded."""
        mark = self._marks.get(purse)
        return 0 if mark is None else mark.least_grant_seq

    def watermark(self, purse: PurseId) -> Watermark | None:
        """The newest proven state of a purse that the backend knew."""
        return self._marks.get(purse)

    def hotlisted(self, purse: PurseId) -> bool:
        """Whether the purse is to be refused at sight."""
        return purse in self._hotlist

    def proof_requests(self, purse: PurseId) -> list[ProofRequest]:
        """Records of a purse that the backend wants attested."""
        requests = () if self.bundle is None else self.bundle.proof_requests
        return [request for request in requests if request.purse == purse]

    def programme_name(self, issuer: bytes, number: int) -> str:
        """A programme in words; its number when the bundle does not name it."""
        programmes = () if self.bundle is None else self.bundle.programmes
        names = (item.name for item in programmes if (item.issuer, item.number) == (issuer, number))
        return next(names, str(number))
