"""The rules of the money; no framework, no SQL."""
