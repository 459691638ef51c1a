"""PERFORM SECURITY OPERATION (00 2A): the holder's RSA key, behind the CNS PIN.

``80 86`` is RSA on a block that the host has padded (how OpenSC signs: through
DECIPHER, after padding indicator 00); ``9E 9A`` pads a DigestInfo itself (PKCS #1 1.5).
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import PinReference
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.commands.pins import is_permitted
from simulator.card.commands.security import SIGNATURE_ENVIRONMENT
from simulator.card.refusal import Refusal

_RAW, _SIGN = 0x8086, 0x9E9A
_RAW_TEMPLATE, _SIGN_TEMPLATE = 0xB8, 0xB6
_PADDING_INDICATOR = b"\x00"
_BLOCK_TYPE_1_MIN = 11
"""Bytes of ``00 01 FF*8 00``."""


def perform_security_operation(chip: Chip, command: Command) -> Response:
    """Signs with the key that MSE chose."""
    operation = command.p1 << 8 | command.p2
    if operation not in (_RAW, _SIGN):
        raise Refusal(Status.WRONG_P1P2)
    if not is_permitted(chip, PinReference.CNS_PIN):
        raise Refusal(Status.SECURITY_STATUS)
    key = _chosen_key(chip, _RAW_TEMPLATE if operation == _RAW else _SIGN_TEMPLATE)
    size = key.key_size // 8
    if command.le is None or command.le < size:
        raise Refusal(Status.WRONG_LENGTH)
    data = command.data
    block = _raw_block(data, size) if operation == _RAW else _padded(data, size)
    return Response(_power(key, block), Status.OK)


def _chosen_key(chip: Chip, template: int) -> RSAPrivateKey:
    reference = chip.session.signature_keys.get(template)
    if reference is None or chip.session.environment != SIGNATURE_ENVIRONMENT:
        raise Refusal(Status.CONDITIONS)
    return _load(chip.session.mf.rsa_keys[reference])


@lru_cache(maxsize=8)
def _load(der: bytes) -> RSAPrivateKey:
    key = load_der_private_key(der, None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _raw_block(data: bytes, size: int) -> bytes:
    if data[:1] != _PADDING_INDICATOR or len(data) != size + 1:
        raise Refusal(Status.WRONG_LENGTH)
    return data[1:]


def _padded(digest_info: bytes, size: int) -> bytes:
    if not digest_info or len(digest_info) > size - _BLOCK_TYPE_1_MIN:
        raise Refusal(Status.WRONG_LENGTH)
    return b"\x00\x01".ljust(size - len(digest_info) - 1, b"\xff") + b"\x00" + digest_info


def _power(key: RSAPrivateKey, block: bytes) -> bytes:
    # cryptography has no RSA without padding; the card needs exactly that.
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    base = int.from_bytes(block, "big")
    if base >= modulus:
        raise Refusal(Status.WRONG_DATA)
    p, q = numbers.p, numbers.q
    m1, m2 = pow(base, numbers.dmp1, p), pow(base, numbers.dmq1, q)
    result = m2 + (numbers.iqmp * (m1 - m2)) % p * q
    return result.to_bytes(len(block), "big")
