"""Conversations with a card, as generators that yield commands and receive responses.

No input or output: the same code runs at a till, at a desk, in a backend that
drives a card at the far end of HTTP, and under the tear tests.
"""
