"""How a command of the module ends early: an answer with a status word and no data."""

from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.status import Status
from simulator.card.refusal import Refusal


class Malformed(Refusal):
    """The data are not canonical, or not the document asked for."""

    def __init__(self) -> None:
        super().__init__(ModuleStatus.WRONG_DATA)


def refuse_unless(condition: object, status: ModuleStatus | Status) -> None:
    """Refusal with ``status`` when ``condition`` is false."""
    if not condition:
        raise Refusal(status)
