"""After the database was put back from an older copy."""
