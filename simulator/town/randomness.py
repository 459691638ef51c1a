"""Randomness of the town: repeatable, and begun anew by every happening.

Each happening brings its own sub-seed. So one that is taken out of a history changes no
random byte of another.
"""

import hashlib

_CHUNK = 64


class SeededRandomness:
    """Implements ``cardlib.ports.Randomness``: SHAKE-256 over seed and block number."""

    def __init__(self, seed: int | str) -> None:
        self.begin(seed)

    def begin(self, seed: int | str) -> None:
        """From here on, what ``seed`` gives."""
        self._seed = f"town:{seed}:".encode()
        self._block = 0
        self._pool = b""

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if len(self._pool) < count:
            text = self._seed + str(self._block).encode()
            self._pool += hashlib.shake_256(text).digest(max(_CHUNK, count))
            self._block += 1
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken


def sub_seed(*parts: object) -> int:
    """A number of 63 bits that belongs to these parts and no others."""
    text = ":".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
