"""Symmetric suites of the chip (PROTOCOL 3), on ``cryptography`` alone.

The low nibble of EF.INFO's suite byte chooses. The transport keys are always AES.
Suite 2 is built here from single DES steps, as a chip with a DES engine does it.
"""

from hmac import compare_digest
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
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

    def accepts(self, key: bytes) -> bool:
        """Whether the chip lets these 16 bytes be a key."""
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

    def accepts(self, key: bytes) -> bool:
        """See :class:`Suite`."""
        return len(key) == KEY_SIZE


class Tdea:
    """Suite 2: two-key TDEA; MAC algorithm 3 of ISO/IEC 9797-1 with padding method 2."""

    block_size = 8

    def mac(self, key: bytes, data: bytes) -> bytes:
        """See :class:`Suite`."""
        left, right = _des_halves(key)
        state = bytes(self.block_size)
        for block in self._blocks(_padded(data, self.block_size)):
            state = _des(left, _xor(state, block))
        return _des(left, _des(right, state, backwards=True))

    def decipher(self, key: bytes, challenge: bytes, cryptogram: bytes) -> bytes | None:
        """See :class:`Suite`; the challenge fills the block."""
        if not cryptogram or len(cryptogram) % self.block_size:
            return None
        left, right = _des_halves(key)
        before = _des(left, _des(right, _des(left, challenge), backwards=True))
        plain = b""
        for block in self._blocks(cryptogram):
            once = _des(left, block, backwards=True)
            opened = _des(left, _des(right, once), backwards=True)
            plain, before = plain + _xor(opened, before), block
        return _unpad(plain, self.block_size)

    def accepts(self, key: bytes) -> bool:
        """See :class:`Suite`: two halves that differ in more than parity."""
        if len(key) != KEY_SIZE:
            return False
        left, right = _des_halves(key)
        return any((one ^ other) >> 1 for one, other in zip(left, right, strict=True))

    def _blocks(self, data: bytes) -> list[bytes]:
        return [data[at : at + self.block_size] for at in range(0, len(data), self.block_size)]


def _des_halves(key: bytes) -> tuple[bytes, bytes]:
    return key[:8], key[8:]


def _des(half: bytes, block: bytes, *, backwards: bool = False) -> bytes:
    """One block of single DES; the library has it as TDEA with three equal keys."""
    cipher = Cipher(TripleDES(half * 3), modes.ECB())  # noqa: S305 - one block
    step = cipher.decryptor() if backwards else cipher.encryptor()
    return step.update(block) + step.finalize()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _padded(data: bytes, block_size: int) -> bytes:
    marked = data + b"\x80"
    return marked.ljust(-(-len(marked) // block_size) * block_size, b"\x00")


def _unpad(padded: bytes, block_size: int) -> bytes | None:
    plain = padded.rstrip(b"\x00")
    removed = len(padded) - len(plain) + 1
    return plain[:-1] if plain.endswith(b"\x80") and removed <= block_size else None


AES_128 = Aes128()
SUITES: dict[int, Suite] = {1: AES_128, 2: Tdea()}
"""By the low nibble of the suite byte; a purse of another suite cannot be made here."""


def same(left: bytes, right: bytes) -> bool:
    """Comparison that takes the same time wherever they differ."""
    return compare_digest(left, right)
