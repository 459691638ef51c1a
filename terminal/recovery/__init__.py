"""Recovery: finding out, from a fresh read, whether an intent debited the card (PROTOCOL 5)."""
