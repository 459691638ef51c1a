"""Who acts: the names that use cases take from whoever calls."""

SYSTEM = "system"
"""Who decided what resolved itself: no person."""
