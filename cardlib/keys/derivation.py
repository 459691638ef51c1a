"""Purse keys from issuer masters: NIST SP 800-108r1 in counter mode (PROTOCOL 3).

PRF AES-256-CMAC, 32-bit counter and length, fixed input
``Label ‖ 00 ‖ Context ‖ L``; context = issuer ‖ purse ‖ suite ‖ key set.
Keys of suite 2 are K1 ‖ K2; one with K1 = K2 is refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

from cardlib.codec.purse import Info
from cardlib.keys.suites import KEY_SIZE, suite_of

MASTER_SIZE = 32
_LABEL_PREFIX = "borsellino/1/"


class KeyUse(StrEnum):
    """Labels, one a use and direction."""

    DEBIT_COMMAND = "debit/cmd"
    DEBIT_RESPONSE = "debit/rsp"
    DEBIT_RECORD = "debit/rec"
    ATTEST = "attest"
    LOAD_COMMAND = "load/cmd"
    LOAD_RESPONSE = "load/rsp"
    ADMIN_COMMAND = "admin/cmd"
    ADMIN_RESPONSE = "admin/rsp"
    ADMIN_ENCIPHER = "admin/enc"
    ORACLE = "oracle"
    """Of a legacy chip's INTERNAL AUTHENTICATE, from M_ATTEST; such a chip has no K_TC."""


def derive(master: bytes, use: KeyUse, info: Info) -> bytes:
    """The 16-byte key of one purse for one use, from a 32-byte master.

    PurseRefusedError ``PURSE_UNKNOWN_SUITE``; AuthenticityError ``PURSE_KEY_WEAK`` for a key
    that its suite refuses: the purse needs another number.
    """
    context = info.issuer + info.purse + bytes((info.suite, info.key_set))
    kdf = KBKDFCMAC(
        algorithm=AES256,
        mode=Mode.CounterMode,
        length=KEY_SIZE,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=(_LABEL_PREFIX + use).encode(),
        context=context,
        fixed=None,
    )
    key = kdf.derive(master)
    if use is not KeyUse.DEBIT_RECORD:  # records at rest are AES in every suite
        suite_of(info.suite).check_key(key)
    return key


@dataclass(frozen=True, slots=True, repr=False)
class DebitKeys:
    """What a shop needs for one purse: MAC of writes, MAC of answers, records at rest."""

    command: bytes
    response: bytes
    record: bytes

    @classmethod
    def derive(cls, master: bytes, info: Info) -> "DebitKeys":
        """From M_DEBIT."""
        uses = (KeyUse.DEBIT_COMMAND, KeyUse.DEBIT_RESPONSE, KeyUse.DEBIT_RECORD)
        return cls(*(derive(master, use, info) for use in uses))


@dataclass(frozen=True, slots=True, repr=False)
class IssuerMasters:
    """The four masters of one issuer and key set, 32 bytes each; the backend's key store."""

    debit: bytes
    attest: bytes
    load: bytes
    admin: bytes


@dataclass(frozen=True, slots=True, repr=False)
class PurseKeys:
    """All nine keys of one purse, for a card session at the backend."""

    debit: DebitKeys
    attest: bytes
    load_command: bytes
    load_response: bytes
    admin_command: bytes
    admin_response: bytes
    admin_encipher: bytes
    older_records: tuple[bytes, ...] = ()
    """K_REC of earlier key sets: the ring keeps records that they sealed."""

    @classmethod
    def derive(cls, masters: IssuerMasters, info: Info) -> "PurseKeys":
        """From the four masters."""
        return cls(
            debit=DebitKeys.derive(masters.debit, info),
            attest=derive(masters.attest, KeyUse.ATTEST, info),
            load_command=derive(masters.load, KeyUse.LOAD_COMMAND, info),
            load_response=derive(masters.load, KeyUse.LOAD_RESPONSE, info),
            admin_command=derive(masters.admin, KeyUse.ADMIN_COMMAND, info),
            admin_response=derive(masters.admin, KeyUse.ADMIN_RESPONSE, info),
            admin_encipher=derive(masters.admin, KeyUse.ADMIN_ENCIPHER, info),
        )
