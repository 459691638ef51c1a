"""What a till must know from its bundle to judge the grants on a card."""

from typing import Protocol

from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.ids import PurseId


class Trust(Protocol):
    """Issuer keys and watermarks, as the last bundle had them."""

    def issuer_key(self, issuer: bytes, key_id: int) -> PublicKey | None:
        """The key that signs the grants of ``issuer``, None when unknown."""
        ...

    def least_grant_seq(self, purse: PurseId) -> int:
        """Grants with a lower number are superseded; 0 when nothing is known."""
        ...
