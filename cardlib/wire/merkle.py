"""The tree over a day's entries (RFC 6962, 2.1): leaf prefix 00, node prefix 01.

A leaf is the SHA-256 of an entry's complete bytes, so that whoever may see an entry as a
hash only can compute the same root.
"""

from collections.abc import Sequence
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(entry_hash: bytes) -> bytes:
    """The tree's hash of one entry."""
    return sha256(_LEAF + entry_hash).digest()


class Tree:
    """The tree over entries in their order, each node hashed once."""

    def __init__(self, entry_hashes: Sequence[bytes]) -> None:
        self._levels = [[leaf_hash(item) for item in entry_hashes]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))

    @property
    def root(self) -> bytes:
        """SHA-256 of nothing for an empty day."""
        return self._levels[-1][0] if self._levels[-1] else sha256(b"").digest()

    def path_of(self, index: int) -> list[bytes]:
        """The audit path of entry ``index``, from the leaf upwards (RFC 6962, 2.1.1)."""
        path: list[bytes] = []
        for level in self._levels[:-1]:
            beside = index ^ 1
            if beside < len(level):
                path.append(level[beside])
            index //= 2
        return path


def root_by_path(entry_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to in a tree of ``size``; None when its length is wrong."""
    if not 0 <= index < size:
        return None
    digest, left = leaf_hash(entry_hash), list(path)
    last = size - 1
    while last:
        if index % 2 or index < last:
            if not left:
                return None
            beside = left.pop(0)
            digest = _node(beside, digest) if index % 2 else _node(digest, beside)
        index, last = index // 2, last // 2
    return None if left else digest


def _above(level: Sequence[bytes]) -> list[bytes]:
    """One level up: an odd one at the end rises unchanged, as RFC 6962's split has it."""
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
