"""Cipher suites of a purse: how MACs are made and administration is enciphered.

Suite 1 is AES-128: CMAC (RFC 4493), left 8 bytes; CBC with IV = E(K, challenge
padded right with 00) and padding method 2 (ISO/IEC 9797-1) (PROTOCOL 3).
Suite 2, for legacy chips, is two-key TDEA: MAC algorithm 3 of ISO/IEC 9797-1 (the
*retail MAC*) with padding method 2; CBC with IV = E(K, challenge).
"""

from hmac import compare_digest
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from cardlib.codec.purse import Suite
from cardlib.errors import AuthenticityError, PurseRefusedError

MAC_SIZE = 8
KEY_SIZE = 16
HEADER_PADDING = bytes.fromhex("80000000")
"""Fills random and command header up to 16 bytes."""
_DES_BLOCK = 8
_DES_PARITY = 0x01
"""Bit 1 of each byte of a DES key: no cipher uses it (FIPS 46-3, Appendix 1)."""


class CipherSuite(Protocol):
    """What differs between chips with AES and chips with two-key TDEA."""

    def mac(self, key: bytes, message: bytes) -> bytes:
        """Eight bytes."""
        ...

    def encipher(self, key: bytes, challenge: bytes, plain: bytes) -> bytes:
        """CBC over ``plain`` padded by method 2; the challenge makes the IV."""
        ...

    def check_key(self, key: bytes) -> None:
        """AuthenticityError ``PURSE_KEY_WEAK`` for 16 bytes that this cipher must not use."""
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

    def check_key(self, key: bytes) -> None:
        """Every key is as good as another."""


class Tdea2KeySuite:
    """Suite 2: a key is K1 ‖ K2, eight bytes each."""

    def mac(self, key: bytes, message: bytes) -> bytes:
        """ISO/IEC 9797-1, algorithm 3: CBC-MAC under K1, the last block under K1, K2, K1."""
        padded = pad(message, _DES_BLOCK)
        first, last = padded[:-_DES_BLOCK], padded[-_DES_BLOCK:]
        single = Cipher(_single_des(key), CBC(bytes(_DES_BLOCK))).encryptor()
        chained = (single.update(first) or bytes(_DES_BLOCK))[-_DES_BLOCK:]
        final = Cipher(_tdea(key), CBC(chained)).encryptor()
        return final.update(last) + final.finalize()

    def encipher(self, key: bytes, challenge: bytes, plain: bytes) -> bytes:
        """TDEA-CBC, IV = E(K, challenge): the challenge is a whole block."""
        block = Cipher(_tdea(key), ECB()).encryptor()  # noqa: S305 - one block, to make an IV
        iv = block.update(challenge)
        encryptor = Cipher(_tdea(key), CBC(iv)).encryptor()
        return encryptor.update(pad(plain, _DES_BLOCK)) + encryptor.finalize()

    def check_key(self, key: bytes) -> None:
        """K1 = K2, parity bits disregarded, would be single DES."""
        halves = _without_parity(key[:_DES_BLOCK]), _without_parity(key[_DES_BLOCK:])
        if compare_digest(*halves):
            raise AuthenticityError("PURSE_KEY_WEAK")


def _tdea(key: bytes) -> TripleDES:
    """K1, K2, K1: the three-key form, since the two-key form is going from the library."""
    return TripleDES(key + key[:_DES_BLOCK])


def _single_des(key: bytes) -> TripleDES:
    """K1, K1, K1 is single DES under K1."""
    return TripleDES(key[:_DES_BLOCK] * 3)


def _without_parity(half: bytes) -> bytes:
    return bytes(octet & ~_DES_PARITY for octet in half)


def pad(plain: bytes, block: int) -> bytes:
    """Padding method 2: 80, then 00 up to a whole block."""
    padded = plain + b"\x80"
    return padded + bytes(-len(padded) % block)


_SUITES: dict[int, CipherSuite] = {
    Suite.AES_128: Aes128Suite(),
    Suite.TDEA_2KEY: Tdea2KeySuite(),
}


def suite_of(number: int) -> CipherSuite:
    """The suite of an INFO nibble; PurseRefusedError ``PURSE_UNKNOWN_SUITE`` for others."""
    if number not in _SUITES:
        raise PurseRefusedError("PURSE_UNKNOWN_SUITE", suite=number)
    return _SUITES[number]
