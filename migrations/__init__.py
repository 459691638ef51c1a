"""Alembic migrations of the backend's database; ``backend.adapters.migrate`` runs them."""
