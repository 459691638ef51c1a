"""Keys that make a trace readable. Whoever has none still sees names and clear fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cardlib.codec.files import KeyId
from cardlib.codec.purse import Info
from cardlib.keys.derivation import DebitKeys


@dataclass(frozen=True, slots=True, repr=False)
class TraceKeys:
    """What is known of one purse: its suite, keys by id on the card, and K_REC if known."""

    suite: int
    keys: Mapping[int, bytes]
    record: bytes | None = None

    @classmethod
    def of_shop(cls, info: Info, debit: DebitKeys) -> "TraceKeys":
        """What a shop's keys show: records, and MACs under K_DC and K_DR."""
        known: dict[int, bytes] = {
            KeyId.DEBIT_COMMAND: debit.command,
            KeyId.DEBIT_RESPONSE: debit.response,
        }
        return cls(info.suite, known, debit.record)


Keyring = Callable[[int, Info | None], TraceKeys | None]
"""Keys of the purse in directory ``B001`` …; its EF.INFO where it was read before."""


def no_keys(_directory: int, _info: Info | None) -> None:
    """The keyring of somebody who has none."""
    return
