"""The masters of issuer 000000: training, so they are published (PROTOCOL 2).

Whoever has this package can read and debit a purse made with them; live tills refuse it.
A backend's own training issuer has masters of its own, which are not these.
"""

from hashlib import sha256

from cardlib.keys.derivation import IssuerMasters

TRAINING_PIN = "12345"
"""Of purses made with these masters, until somebody changes it."""


def _public(use: str) -> bytes:
    return sha256(f"borsellino training {use}".encode()).digest()


TRAINING_MASTERS = IssuerMasters(
    debit=_public("debit"), attest=_public("attest"), load=_public("load"), admin=_public("admin")
)
