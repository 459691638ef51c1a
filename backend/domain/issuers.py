"""Municipalities by the code that their cards carry."""

from backend.errors import BadInputError


def issuer_code(text: str) -> bytes:
    """Three BCD bytes of an ISTAT comune code; BadInputError ``ISSUER_BAD`` unless it has six
    digits."""
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        raise BadInputError("ISSUER_BAD", issuer=text)
    return bytes.fromhex(text)
