"""Alembic migrations of the backend's schema."""
