"""SQLAlchemy, key store, mail, files."""
