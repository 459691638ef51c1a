"""The files of a CNS card with a fictitious holder.

Contents that no source describes (2F01 to 4142 below) are plausible fillers.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from cardlib.codec import tlv
from cardlib.codec.files import DF_HOLDER, DF_SIGNATURE, DF_SYSTEM, MF, PinReference
from simulator.card.access import FREE, Pin
from simulator.card.chip import Randomness
from simulator.card.filesystem import Directory, Memory
from simulator.card.masks.parts import (
    chip_number,
    padded,
    plain_file,
    serial_number,
    services,
)
from simulator.card.personal import REGION, Holder, certificate
from simulator.card.rsa import generate_rsa_key
from simulator.card.traits import CnsVersion

CNS_PIN, CNS_PUK = "12345", "87654321"
"""Of every virtual CNS: nobody's secret."""
SIGNATURE_KEY = 0x01
CERTIFICATE_SIZE = 1536
_TRIES = 3


@dataclass(frozen=True, slots=True)
class CnsCard:
    """A builder (``masks.registry.Build``) of cards of one mask."""

    name: str
    atr: bytes
    version: CnsVersion

    def __call__(
        self, randomness: Randomness, holder: Holder, transport_keys: dict[int, bytes]
    ) -> Memory:
        """A fresh card, with key and certificate of its own."""
        serial = serial_number(REGION, randomness)
        key = generate_rsa_key(self.version.rsa_bits, randomness)
        mf = Directory(MF, FREE)
        mf.pins = {
            PinReference.CNS_PIN: Pin.fresh(padded(CNS_PIN), _TRIES, PinReference.CNS_PUK),
            PinReference.CNS_PUK: Pin.fresh(padded(CNS_PUK), _TRIES),
        }
        mf.rsa_keys = {
            SIGNATURE_KEY: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        }
        mf.files = [
            plain_file(0x2F01, (bytes((len(self.atr),)) + self.atr).ljust(30, b"\x00")),
            chip_number(serial),
            plain_file(0x3F01, _public_key(key)),
            plain_file(0x3F02, b"\x01".ljust(8, b"\x00")),
            plain_file(0x0405, bytes(64)),
        ]
        mf.directories = [
            _system(serial),
            _holder(holder, serial, key),
            _services(transport_keys),
            Directory(DF_SIGNATURE, FREE),
        ]
        return Memory(self.name, serial, self.atr, mf)


def _system(serial: str) -> Directory:
    system = Directory(DF_SYSTEM, FREE)
    system.files = [
        plain_file(0x1002, bytes.fromhex("0209020001110100").ljust(32, b"\x00")),
        plain_file(0x1003, serial.encode()),
    ]
    return system


def _holder(holder: Holder, serial: str, key: RSAPrivateKey) -> Directory:
    personal_data = holder.personal_data()
    issued = certificate(holder, serial, personal_data, key.public_key())
    person = Directory(DF_HOLDER, FREE)
    person.files = [
        plain_file(0x1101, issued.public_bytes(Encoding.DER).ljust(CERTIFICATE_SIZE, b"\x00")),
        plain_file(0x1102, personal_data),
    ]
    return person


def _services(transport_keys: dict[int, bytes]) -> Directory:
    directory = services(transport_keys)
    directory.files = [
        plain_file(0x1201, bytes(64)),
        plain_file(0x1202, (0x2000).to_bytes(2, "big")),
        plain_file(0x1203, bytes(64)),
        plain_file(0x4142, bytes(64)),
    ]
    return directory


def _public_key(key: RSAPrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    parts = [
        tlv.Tlv(0x81, numbers.n.to_bytes(key.key_size // 8, "big")),
        tlv.Tlv(0x82, numbers.e.to_bytes(3, "big")),
    ]
    return bytes(tlv.Tlv(0x7F49, tlv.encode(parts)))
