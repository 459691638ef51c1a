"""The transaction certificate: a record that the card MACed for a random (PROTOCOL 3).

``tc = MAC(K_TC, RND.IFD ‖ 0C B2 nn 1C ‖ 80000000 ‖ 81 36 record)``. It says:
this purse returned this record for this random. Only the backend shares K_TC.
"""

from hashlib import sha256
from hmac import compare_digest

from cardlib.codec.commands import internal_authenticate
from cardlib.codec.files import EF_SPEND
from cardlib.codec.purse import Info
from cardlib.codec.tlv import Tlv
from cardlib.keys import secure_messaging
from cardlib.keys.suites import MAC_SIZE, suite_of


def certificate(attest_key: bytes, info: Info, index: int, record: bytes, random: bytes) -> bytes:
    """The eight bytes that a card with ``attest_key`` answers."""
    command = secure_messaging.read_record_command(index, EF_SPEND.read_p2, len(record))
    objects = bytes(Tlv(secure_messaging.TAG_PLAIN, record))
    return secure_messaging.mac(suite_of(info.suite), attest_key, random, command.header, objects)


def is_genuine(
    attest_key: bytes, info: Info, index: int, record: bytes, random: bytes, tc: bytes
) -> bool:
    """Whether the card itself answered ``record`` for ``random``."""
    return compare_digest(certificate(attest_key, info, index, record, random), tc)


def oracle_digest(random: bytes, record: bytes) -> bytes:
    """What a legacy chip is given to answer: SHA-256 of random and record, first eight bytes."""
    return sha256(random + record).digest()[:MAC_SIZE]


def is_of_oracle(oracle_key: bytes, info: Info, record: bytes, random: bytes, code: bytes) -> bool:
    """Whether the legacy chip was there when its purse had this record: no proof that it has it."""
    data = oracle_digest(random, record)
    header = internal_authenticate(data).header
    expected = secure_messaging.mac(suite_of(info.suite), oracle_key, data, header, b"")
    return compare_digest(expected, code)
