"""Cipher suites of a purse: how MACs are made and administration is enciphered.

Suite 1 is AES-128: CMAC (RFC 4493), left 8 bytes; CBC with IV = E(K, challenge
padded right with 00) and padding method 2 (ISO/IEC 9797-1) (PROTOCOL 3).
"""

from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from cardlib.codec.purse import Suite
from cardlib.errors import PurseRefusedError

MAC_SIZE = 8
KEY_SIZE = 16
HEADER_PADDING = bytes.fromhex("80000000")
"""Fills random and command header up to 16 bytes."""


class CipherSuite(Protocol):
    """What differs between chips with AES and chips with two-key TDEA."""

    def mac(self, key: bytes, message: bytes) -> bytes:
        """Eight bytes."""
        ...

    def encipher(self, key: bytes, challenge: bytes, plain: bytes) -> bytes:
        """CBC over ``plain`` padded by method 2; the challenge makes the IV."""
        ...


class Aes128Suite:
    """Suite 1."""

    def mac(self, key: bytes, message: bytes) -> bytes:
        """AES-CMAC, left 8 bytes."""
        cmac = CMAC(AES128(key))
        cmac.update(message)
        return cmac.finalize()[:MAC_SIZE]

    def encipher(self, key: bytes, challenge: bytes, plain: bytes) -> bytes:
        """AES-CBC, IV = E(K, challenge padded with 00)."""
        block = Cipher(AES128(key), ECB()).encryptor()  # noqa: S305 - one block, to make an IV
        iv = block.update(challenge.ljust(16, b"\x00"))
        encryptor = Cipher(AES128(key), CBC(iv)).encryptor()
        return encryptor.update(pad(plain, 16)) + encryptor.finalize()


def pad(plain: bytes, block: int) -> bytes:
    """Padding method 2: 80, then 00 up to a whole block."""
    padded = plain + b"\x80"
    return padded + bytes(-len(padded) % block)


_SUITES: dict[int, CipherSuite] = {Suite.AES_128: Aes128Suite()}


def suite_of(number: int) -> CipherSuite:
    """The suite of an INFO nibble; PurseRefusedError ``PURSE_UNKNOWN_SUITE`` for others."""
    if number not in _SUITES:
        raise PurseRefusedError("PURSE_UNKNOWN_SUITE", suite=number)
    return _SUITES[number]
