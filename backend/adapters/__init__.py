"""What touches the world: SQLAlchemy, migrations, key files."""
