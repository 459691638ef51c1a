"""Purse keys and MACed records as the module computes them (PROTOCOL 3).

Keys: SP 800-108r1 in counter mode, one block: ``CMAC(M, 00000001 ‖ label ‖ 00 ‖ context ‖
00000080)``. Records at rest: ``simulator.card.sealed_records``.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.cmac import CMAC

from cardlib.codec import tlv
from cardlib.codec.apdu import CLA_SECURE
from cardlib.codec.files import EF_GRANT, EF_SPEND, EF_SPEND_APPEND_P2, PurseFile
from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import Info
from cardlib.errors import CardlibError
from simulator.card import crypto
from simulator.module_card.refusals import Malformed, refuse_unless

_PREFIX = b"borsellino/1/debit/"
_HEADER_PADDING = b"\x80\x00\x00\x00"
_CONFIRMED = b"\x99\x02\x90\x00"


@dataclass(frozen=True, slots=True, repr=False)
class DebitKeys:
    """K_DC, K_DR and K_REC of one purse."""

    command: bytes
    response: bytes
    record: bytes


def info_of(core: bytes) -> Info:
    """INFO of its sixteen core bytes; Malformed for a version or flag that is not known."""
    try:
        return Info.from_core(core)
    except CardlibError:
        raise Malformed from None


def derive(master: bytes, info: Info) -> DebitKeys:
    """The three keys from M_DEBIT."""
    context = info.issuer + info.purse + bytes((info.suite, info.key_set))
    return DebitKeys(*(_derived(master, use, context) for use in (b"cmd", b"rsp", b"rec")))


def mac(suite: crypto.Suite, key: bytes, random: bytes, header: bytes, objects: bytes) -> bytes:
    """Eight bytes over random, command header and data objects (PROTOCOL 3)."""
    return suite.mac(key, random + header + _HEADER_PADDING + objects)


def record_in(
    suite: crypto.Suite, key: bytes, random: bytes, file: PurseFile, number: int, answer: bytes
) -> bytes:
    """The record of a READ RECORD answer; NOT_GENUINE unless its MAC is good."""
    header = bytes((CLA_SECURE, 0xB2, number, file.read_p2))
    plain, code = answer[: 2 + file.record_size], answer[2 + file.record_size :]
    refuse_unless(plain[:2] == bytes((0x81, file.record_size)), ModuleStatus.WRONG_DATA)
    expected = mac(suite, key, random, header, plain)
    good = crypto.same(bytes(tlv.Tlv(0x8E, expected)), code)
    refuse_unless(good, ModuleStatus.NOT_GENUINE)
    return plain[2:]


def update_data(suite: crypto.Suite, key: bytes, challenge: bytes, record: bytes) -> bytes:
    """``81 36 record 8E 08 mac``: the data field of the one UPDATE RECORD."""
    plain = bytes(tlv.Tlv(0x81, record))
    return plain + bytes(tlv.Tlv(0x8E, mac(suite, key, challenge, UPDATE_HEADER, plain)))


def is_confirmation(suite: crypto.Suite, key: bytes, random: bytes, answer: bytes) -> bool:
    """Whether ``answer`` is ``99 02 9000 8E 08 mac`` with the right MAC."""
    code = mac(suite, key, random, UPDATE_HEADER, _CONFIRMED)
    return crypto.same(_CONFIRMED + bytes(tlv.Tlv(0x8E, code)), answer)


UPDATE_HEADER = bytes((CLA_SECURE, 0xDC, 0x00, EF_SPEND_APPEND_P2))
FILES = {1: EF_SPEND, 2: EF_GRANT}
"""By P1 of OPEN RECORD."""


def _derived(master: bytes, use: bytes, context: bytes) -> bytes:
    cmac = CMAC(AES256(master))
    cmac.update(b"\x00\x00\x00\x01" + _PREFIX + use + b"\x00" + context + b"\x00\x00\x00\x80")
    return cmac.finalize()
