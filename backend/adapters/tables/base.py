"""What all tables share: naming, and the types of their columns.

Portable between SQLite and PostgreSQL. Money is integer cents in BIGINT, times are
Unix seconds in BIGINT, bytes stay bytes, states are checked words.
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    """The declarative base; constraint names are fixed so that migrations can name them."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


Cents = Annotated[int, mapped_column(BigInteger)]
Seconds = Annotated[int, mapped_column(BigInteger)]
Millis = Annotated[int, mapped_column(BigInteger)]
Octets = Annotated[bytes, mapped_column(LargeBinary)]
Word = Annotated[str, mapped_column(String(32))]
Key = Annotated[int, mapped_column(primary_key=True)]


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """A check that ``column`` holds one of ``words``."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
