"""Symmetric suites of the chip (PROTOCOL 3), on ``cryptography`` alone.

The low nibble of EF.INFO's suite byte chooses. The transport keys are always AES.
"""

from hmac import compare_digest
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

MAC_SIZE = 8
KEY_SIZE = 16


class Suite(Protocol):
    """MAC and decipherment under 16-byte keys."""

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Eight bytes over ``data``."""
        ...

    def decipher(self, key: bytes, challenge: bytes, cryptogram: bytes) -> bytes | None:
        """Plaintext without its padding (method 2), None when it is not padded so.

        CBC; the initial vector is the challenge, padded right with 00, enciphered.
        """
        ...


class Aes128:
    """Suite 1: CMAC (RFC 4493), its left half; AES-128-CBC."""

    block_size = 16

    def mac(self, key: bytes, data: bytes) -> bytes:
        """See :class:`Suite`."""
        cmac = CMAC(algorithms.AES128(key))
        cmac.update(data)
        return cmac.finalize()[:MAC_SIZE]

    def decipher(self, key: bytes, challenge: bytes, cryptogram: bytes) -> bytes | None:
        """See :class:`Suite`."""
        if not cryptogram or len(cryptogram) % self.block_size:
            return None
        block = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305 - one block
        vector = block.update(challenge.ljust(self.block_size, b"\x00"))
        cbc = Cipher(algorithms.AES128(key), modes.CBC(vector)).decryptor()
        return _unpad(cbc.update(cryptogram) + cbc.finalize(), self.block_size)


def _unpad(padded: bytes, block_size: int) -> bytes | None:
    plain = padded.rstrip(b"\x00")
    removed = len(padded) - len(plain) + 1
    return plain[:-1] if plain.endswith(b"\x80") and removed <= block_size else None


AES_128 = Aes128()
SUITES: dict[int, Suite] = {1: AES_128}
"""By the low nibble of the suite byte; a purse of another suite cannot be made here."""


def same(left: bytes, right: bytes) -> bool:
    """Comparison that takes the same time wherever they differ."""
    return compare_digest(left, right)
