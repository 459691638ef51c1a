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
from cardlib.codec.atr import Atr
from cardlib.codec.files import (
    DF_HOLDER,
    DF_SIGNATURE,
    DF_SYSTEM,
    EF_MEMORIA_RESIDUA,
    EF_SERVIZI_INSTALLATI,
    MF,
    PinReference,
)
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
from simulator.card.services import FREE_MEMORY_SIZE, INSTALLED_SERVICES_SIZE
from simulator.card.traits import CnsVersion

CNS_PIN, CNS_PUK = "12345", "87654321"
"""Of every virtual CNS: nobody's secret."""
SIGNATURE_KEY = 0x01
CERTIFICATE_SIZE = 1536
_TRIES = 3
_MAKERS = slice(2, 9)
"""Historical bytes H2 to H8: makers of chip and mask, its version, kind of card."""


@dataclass(frozen=True, slots=True)
class CnsCard:
    """A builder (``masks.registry.Build``) of cards of one mask."""

    name: str
    atr: bytes
    version: CnsVersion
    issuer: str = REGION
    """First digits of EF_ID_Carta: kind of card and who issues it."""

    def __call__(
        self, randomness: Randomness, holder: Holder, transport_keys: dict[int, bytes]
    ) -> Memory:
        """A fresh card, with key and certificate of its own."""
        serial = serial_number(self.issuer, randomness)
        key = generate_rsa_key(self.version.rsa_bits, randomness)
        personal_data = holder.personal_data(self.issuer)
        issued = certificate(holder, serial, personal_data, key.public_key())
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
            _system(serial, self.atr),
            _holder(personal_data, issued.public_bytes(Encoding.DER)),
            _services(transport_keys),
            Directory(DF_SIGNATURE, FREE),
        ]
        return Memory(self.name, serial, self.atr, mf)


def _system(serial: str, atr: bytes) -> Directory:
    made_by = Atr.decode(atr).historical[_MAKERS]
    system = Directory(DF_SYSTEM, FREE)
    system.files = [
        plain_file(0x1002, made_by.ljust(32, b"\x00")),
        plain_file(0x1003, serial.encode()),
    ]
    return system


def _holder(personal_data: bytes, issued: bytes) -> Directory:
    person = Directory(DF_HOLDER, FREE)
    person.files = [
        plain_file(0x1101, issued.ljust(CERTIFICATE_SIZE, b"\x00")),
        plain_file(0x1102, personal_data),
    ]
    return person


def _services(transport_keys: dict[int, bytes]) -> Directory:
    directory = services(transport_keys)
    directory.files = [
        plain_file(0x1201, bytes(64)),
        plain_file(EF_MEMORIA_RESIDUA[-1], bytes(FREE_MEMORY_SIZE)),
        plain_file(EF_SERVIZI_INSTALLATI[-1], bytes(INSTALLED_SERVICES_SIZE)),
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
