"""How a command ends early."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the card, not an error
    """The card answers ``status`` and no data; nothing has been written."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = int(status)


class PowerLost(Exception):  # noqa: N818 - as above
    """The contacts lost power in the middle of a write: there is no answer."""
