"""IBANs as people type them: spaces and lower case allowed, check digits not."""

from stdnum import iban
from stdnum.exceptions import ValidationError

from backend.errors import BadInputError


def checked_iban(text: str) -> str:
    """The compact form; BadInputError ``IBAN_BAD`` when its check digits do not fit."""
    try:
        return str(iban.validate(text))
    except ValidationError as error:
        raise BadInputError("IBAN_BAD", iban=text) from error
