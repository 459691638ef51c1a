"""Repeatable randomness for cards that must come out the same from a seed."""

import hashlib


class SeededRandomness:
    """SHA-256 in counter mode over a seed. Predictable: for training and tests only."""

    def __init__(self, seed: int | str) -> None:
        self._seed = f"borsellino:{seed}:".encode()
        self._counter = 0
        self._pool = b""

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        while len(self._pool) < count:
            self._pool += hashlib.sha256(self._seed + str(self._counter).encode()).digest()
            self._counter += 1
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken
