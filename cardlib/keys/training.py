"""The keys of issuer 000000: training, so they are published (PROTOCOL 2).

Whoever has this package can read, load and debit a purse made with them; live tills
refuse it. They are those of the first key set and of the first grant key.
"""

from hashlib import sha256

from cardlib.keys.derivation import IssuerMasters

TRAINING_PIN = "12345"
"""Of purses made without a backend, until somebody changes it."""
TRAINING_KEY_SET = TRAINING_GRANT_KEY = 1


def _public(use: str) -> bytes:
    return sha256(f"borsellino training {use}".encode()).digest()


TRAINING_MASTERS = IssuerMasters(
    debit=_public("debit"), attest=_public("attest"), load=_public("load"), admin=_public("admin")
)
TRAINING_GRANT_SEED = _public("grants")
"""Seed of the Ed25519 key that signs training grants."""
