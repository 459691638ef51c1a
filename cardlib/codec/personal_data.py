"""EF_Dati_personali: the holder's data, 16 length-prefixed text fields.

Six hex digits give the length of what follows; each field is two hex digits of
length and that many bytes of Latin-1; the file is padded with 00.
Source: OpenSC pkcs15-itacns; docs/card-profile.md.
"""

from dataclasses import astuple, dataclass, fields
from typing import Self

from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

_TEXT = "latin-1"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The 16 fields in file order; dates are DDMMYYYY, places are Belfiore codes."""

    issuer: str = ""
    issued_on: str = ""
    expires_on: str = ""
    surname: str = ""
    name: str = ""
    born_on: str = ""
    sex: str = ""
    height: str = ""
    codice_fiscale: str = ""
    citizenship: str = ""
    birth_town: str = ""
    birth_country: str = ""
    birth_act: str = ""
    residence_town: str = ""
    residence_address: str = ""
    travel_notes: str = ""

    def encode(self, size: int = 0) -> bytes:
        """The file, padded with 00 to ``size`` bytes; MalformedError when too long."""
        body = b"".join(_encode_field(value) for value in astuple(self))
        data = f"{len(body):06X}".encode() + body
        if size and len(data) > size:
            raise MalformedError("EF_Dati_personali", f"{len(data)} bytes do not fit in {size}")
        return data.ljust(size, b"\x00")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads the file; MalformedError when lengths do not add up."""
        outer = Reader(data, "EF_Dati_personali")
        reader = Reader(outer.take(_hex(outer.take(6))), "EF_Dati_personali")
        values = [reader.take(_hex(reader.take(2))).decode(_TEXT) for _ in fields(cls)]
        reader.end()
        return cls(*values)


def _encode_field(value: str) -> bytes:
    octets = value.encode(_TEXT)
    if len(octets) > 0xFF:
        raise MalformedError("EF_Dati_personali", "field longer than 255 bytes")
    return f"{len(octets):02X}".encode() + octets


def _hex(digits: bytes) -> int:
    try:
        return int(digits.decode("ascii"), 16)
    except ValueError as error:
        raise MalformedError("EF_Dati_personali", "length is not hexadecimal") from error
