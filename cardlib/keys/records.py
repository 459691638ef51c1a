"""Purse records at rest: AES-128-CCM under K_REC, which is never on a card (PROTOCOL 3).

EF.SPEND: type, counter and hash in clear (bytes 0-11, also the nonce), the rest
enciphered, tag of 8 bytes. EF.GRANT: slot and number in clear, nonce
``47 ‖ bytes 0-3 ‖ seven 00``, fields and signature enciphered, tag of 4 bytes.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from cardlib.codec.purse import (
    GRANT_RECORD_SIZE,
    SPEND_RECORD_SIZE,
    Spend,
    SpendType,
)
from cardlib.errors import MalformedError
from cardlib.keys.grants import SignedGrant

_SPEND_CLEAR = 12
_SPEND_TAG = 8
_GRANT_CLEAR = 4
_GRANT_TAG = 4


def seal_spend(key: bytes, spend: Spend) -> bytes:
    """The 54 bytes of the record as it lies on the card."""
    clear = bytes(spend)
    nonce = clear[:_SPEND_CLEAR]
    return nonce + AESCCM(key, _SPEND_TAG).encrypt(nonce, clear[_SPEND_CLEAR:], None)


def open_spend(key: bytes, record: bytes) -> Spend | None:
    """The record in clear; None when it is empty or torn (it does not decrypt)."""
    if len(record) != SPEND_RECORD_SIZE or record[0] > SpendType.VOID:
        return None
    nonce, sealed = record[:_SPEND_CLEAR], record[_SPEND_CLEAR:]
    try:
        return Spend.decode(nonce + AESCCM(key, _SPEND_TAG).decrypt(nonce, sealed, None))
    except (InvalidTag, MalformedError):
        return None


def _grant_nonce(clear: bytes) -> bytes:
    return b"\x47" + clear + bytes(7)


def seal_grant(key: bytes, signed: SignedGrant) -> bytes:
    """The 95 bytes of the record as it lies on the card."""
    whole = bytes(signed)
    clear = whole[:_GRANT_CLEAR]
    sealed = AESCCM(key, _GRANT_TAG).encrypt(_grant_nonce(clear), whole[_GRANT_CLEAR:], None)
    return clear + sealed


def open_grant(key: bytes, record: bytes) -> SignedGrant | None:
    """Grant and signature, **not yet verified**; None when empty or damaged."""
    if len(record) != GRANT_RECORD_SIZE:
        return None
    clear, sealed = record[:_GRANT_CLEAR], record[_GRANT_CLEAR:]
    try:
        whole = clear + AESCCM(key, _GRANT_TAG).decrypt(_grant_nonce(clear), sealed, None)
        return SignedGrant.decode(whole)
    except (InvalidTag, MalformedError):
        return None
