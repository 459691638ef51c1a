"""What the card remembers of one insertion, and forgets without power.

PROTOCOL 2, *Card behaviour*: selecting any directory, also the current one, clears
PIN state, challenge, host random and MSE choice. The CNS PIN is the MF's own: like
any global security status (ISO/IEC 7816-4, 5.4) it lasts until reset.
"""

from dataclasses import dataclass, field

from cardlib.codec.files import KeyId
from simulator.card.access import Pin
from simulator.card.filesystem import Directory, ElementaryFile


@dataclass(slots=True)
class Session:
    """Selection and security status; ``path`` leads from the MF to the current directory."""

    path: list[Directory]
    current_file: ElementaryFile | None = None
    challenge: bytes | None = None
    host_random: bytes | None = None
    answer_key: int = KeyId.DEBIT_RESPONSE
    """Key of the answers of READ RECORD, chosen by MSE."""
    environment: int | None = None
    """Security environment restored for PSO."""
    signature_keys: dict[int, int] = field(default_factory=dict)
    """Key id by control reference template: B6 (CDS) or B8 (raw)."""
    scanned: int = 0
    """Files and directories that SCAN DF has told of the current one."""
    _verified: list[Pin] = field(default_factory=list)

    @property
    def mf(self) -> Directory:
        """The root of the card."""
        return self.path[0]

    @property
    def directory(self) -> Directory:
        """The current directory."""
        return self.path[-1]

    def enter(self, path: list[Directory], file: ElementaryFile | None = None) -> None:
        """Selects a directory, and perhaps a file in it: all else starts anew."""
        of_the_mf = [
            pin for pin in self._verified if any(pin is kept for kept in path[0].pins.values())
        ]
        self.path, self.current_file = path, file
        self.challenge = self.host_random = None
        self.answer_key = KeyId.DEBIT_RESPONSE
        self.environment = None
        self.signature_keys = {}
        self.scanned = 0
        self._verified = of_the_mf

    def take_challenge(self) -> bytes | None:
        """The challenge, which is gone afterwards."""
        challenge, self.challenge = self.challenge, None
        return challenge

    def is_verified(self, pin: Pin) -> bool:
        """Whether this very PIN object was verified and not lost since."""
        return any(known is pin for known in self._verified)

    def mark_verified(self, pin: Pin) -> None:
        """After a right VERIFY."""
        self._verified.append(pin)

    def forget(self, pin: Pin) -> None:
        """After a wrong VERIFY, and after any change of the PIN."""
        self._verified = [known for known in self._verified if known is not pin]
