"""Secure messaging of the purse: MACs over fresh randoms (PROTOCOL 3).

``MAC(K, RND ‖ CLA INS P1 P2 ‖ 80000000 ‖ data objects)``: for a command RND is
the card's last challenge, for an answer the host's last random. An answer
without data carries ``99 02 SW``, so that the status word is covered too.
Source: ISO/IEC 7816-4:2020, 10; CIE functional specification, SM_SIG.
"""

from hmac import compare_digest

from cardlib.codec import tlv
from cardlib.codec.apdu import CLA_SECURE, SHORT_LE_MAX, Command, Response
from cardlib.codec.status import Status, status_name
from cardlib.codec.tlv import Tlv
from cardlib.errors import AuthenticityError, CardAnswerError, MalformedError
from cardlib.keys.suites import HEADER_PADDING, MAC_SIZE, CipherSuite

TAG_PLAIN = 0x81
TAG_CIPHER = 0x87
TAG_MAC = 0x8E
TAG_STATUS = 0x99
CIPHER_PADDED = b"\x01"
"""First byte of tag 87: content padded by method 2 (ISO/IEC 7816-4, table 46)."""
MAC_OBJECT_SIZE = 2 + MAC_SIZE


def mac(suite: CipherSuite, key: bytes, random: bytes, header: bytes, objects: bytes) -> bytes:
    """The eight MAC bytes over ``random``, the command's header and the data objects."""
    return suite.mac(key, random + header + HEADER_PADDING + objects)


def read_record_command(record: int, read_p2: int, record_size: int) -> Command:
    """READ RECORD under secure messaging; the answer is 81 L record 8E 08 mac."""
    le = len(_plain(bytes(record_size))) + MAC_OBJECT_SIZE
    return Command(CLA_SECURE, 0xB2, record, read_p2, le=le)


def protect(
    suite: CipherSuite, key: bytes, challenge: bytes, plain: Command, objects: bytes | None = None
) -> Command:
    """``plain`` as a secured write: its data in tag 81 (or ``objects``), then the MAC."""
    header = bytes((plain.cla | CLA_SECURE, plain.ins, plain.p1, plain.p2))
    body = _plain(plain.data) if objects is None else objects
    code = mac(suite, key, challenge, header, body)
    secured = body + bytes(Tlv(TAG_MAC, code))
    return Command(header[0], plain.ins, plain.p1, plain.p2, secured, SHORT_LE_MAX)


def cipher_object(suite: CipherSuite, key: bytes, challenge: bytes, plain: bytes) -> bytes:
    """``87 L 01 cipher``: administration data that only the card can read."""
    return bytes(Tlv(TAG_CIPHER, CIPHER_PADDED + suite.encipher(key, challenge, plain)))


def split_record_answer(response: Response, record_size: int) -> tuple[bytes, bytes]:
    """Record and MAC of a READ RECORD answer, **unverified** (a till cannot check K_TC).

    CardAnswerError for an error status, MalformedError for another shape.
    """
    if response.status != Status.OK:
        raise CardAnswerError(response.status, "READ RECORD")
    objects = tlv.decode_strict(response.data)
    if [item.tag for item in objects] != [TAG_PLAIN, TAG_MAC]:
        raise MalformedError("answer", "81 and 8E wanted")
    record, code = objects[0].value, objects[1].value
    if len(record) != record_size or len(code) != MAC_SIZE:
        raise MalformedError("answer", "record or MAC of the wrong length")
    return record, code


def open_record_answer(
    suite: CipherSuite,
    key: bytes,
    random: bytes,
    command: Command,
    response: Response,
    record_size: int,
) -> bytes:
    """The record of a READ RECORD answer whose MAC is good; AuthenticityError otherwise."""
    record, code = split_record_answer(response, record_size)
    expected = mac(suite, key, random, command.header, _plain(record))
    if not compare_digest(expected, code):
        raise AuthenticityError("CARD_MAC_BAD")
    return record


def write_confirmed(
    suite: CipherSuite, key: bytes, random: bytes, command: Command, response: Response
) -> bool:
    """Whether a secured write was answered 9000 **with a valid MAC**. Nothing else counts."""
    status = bytes(Tlv(TAG_STATUS, Status.OK.to_bytes(2, "big")))
    expected = status + bytes(Tlv(TAG_MAC, mac(suite, key, random, command.header, status)))
    return response.status == Status.OK and compare_digest(expected, response.data)


def require_write(
    suite: CipherSuite, key: bytes, random: bytes, command: Command, response: Response
) -> None:
    """As :func:`write_confirmed`; CardAnswerError or AuthenticityError when it is not."""
    if write_confirmed(suite, key, random, command, response):
        return
    if response.status != Status.OK:
        raise CardAnswerError(response.status, f"INS {command.ins:02X}")
    raise AuthenticityError("CARD_MAC_BAD", status=status_name(response.status))


def _plain(data: bytes) -> bytes:
    return bytes(Tlv(TAG_PLAIN, data))
