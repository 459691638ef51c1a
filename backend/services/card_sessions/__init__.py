"""Conversations with cards that the backend drives through stations."""
