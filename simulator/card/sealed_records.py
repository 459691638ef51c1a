"""Purse records at rest as a chip with K_REC seals and opens them: AES-128-CCM (PROTOCOL 3).

An applet card and a module card do; a file card keeps its records sealed as they came.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from cardlib.codec.purse import Spend, SpendType
from cardlib.errors import CardlibError

_SPEND_NONCE, _SPEND_TAG = 12, 8
_GRANT_CLEAR, _GRANT_TAG = 4, 4


def open_spend(key: bytes, record: bytes) -> Spend | None:
    """An EF.SPEND record in clear; None when it is empty, torn, or not sealed under ``key``."""
    if record[0] > SpendType.VOID:
        return None
    nonce, sealed = record[:_SPEND_NONCE], record[_SPEND_NONCE:]
    try:
        return Spend.decode(nonce + AESCCM(key, _SPEND_TAG).decrypt(nonce, sealed, None))
    except (InvalidTag, CardlibError):
        return None


def seal_spend(key: bytes, spend: Spend) -> bytes:
    """A record as it lies in EF.SPEND: 54 bytes."""
    clear = bytes(spend)
    nonce = clear[:_SPEND_NONCE]
    return nonce + AESCCM(key, _SPEND_TAG).encrypt(nonce, clear[_SPEND_NONCE:], None)


def open_grant(key: bytes, record: bytes) -> bytes | None:
    """The 91 clear bytes of an EF.GRANT record, signature not verified; None when damaged."""
    clear, sealed = record[:_GRANT_CLEAR], record[_GRANT_CLEAR:]
    nonce = b"\x47" + clear + bytes(7)
    try:
        return clear + AESCCM(key, _GRANT_TAG).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None
