"""Amounts that people type."""

from backend.errors import BadInputError
from cardlib.wire.money import Money


def check_amount(amount: Money) -> None:
    """BadInputError ``AMOUNT_BAD`` unless something is to move."""
    if amount.cents <= 0:
        raise BadInputError("AMOUNT_BAD", amount=str(amount))
