"""Grants that this till has read and verified before: an applet card need not show them again.

A grant_seq is never signed twice with different content (PROTOCOL 3), so purse and number
name the bytes. What is kept was under a good MAC and a good signature; both the signature and
the rules of the day are applied again at every use.
"""

from cardlib.keys.grants import SignedGrant

KNOWN_MAX = 512
"""About 100 bytes each."""


class KnownGrants:
    """The newest ``size`` grants, by INFO core and grant_seq; the oldest make room."""

    def __init__(self, size: int = KNOWN_MAX) -> None:
        self._size = size
        self._grants: dict[tuple[bytes, int], SignedGrant] = {}

    def remember(self, info_core: bytes, signed: SignedGrant) -> None:
        """Keeps a grant whose signature the caller has verified."""
        self._grants[info_core, signed.grant.grant_seq] = signed
        while len(self._grants) > self._size:
            del self._grants[next(iter(self._grants))]

    def find(self, info_core: bytes, grant_seq: int) -> SignedGrant | None:
        """The grant, or None when this till has not met it."""
        return self._grants.get((info_core, grant_seq))
