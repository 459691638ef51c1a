"""Units of work on a SQLAlchemy session: one transaction, every repository."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from backend.adapters.engine import for_reading
from backend.adapters.repositories.acts import Acts
from backend.adapters.repositories.cards import Cards
from backend.adapters.repositories.journals import Journals
from backend.adapters.repositories.key_sets import KeySets
from backend.adapters.repositories.ledger import Ledger
from backend.adapters.repositories.programmes import Programmes
from backend.adapters.repositories.recoveries import Recoveries
from backend.adapters.repositories.settlement import Settlement
from backend.adapters.repositories.terminals import Terminals
from backend.adapters.repositories.verdicts import Verdicts
from backend.adapters.tables.base import Base


class Unit:
    """One transaction. Rows that repositories return are live: a change is stored at commit."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._afterwards: list[Callable[[], None]] = []
        self.ledger = Ledger(session)
        self.programmes = Programmes(session)
        self.cards = Cards(session)
        self.key_sets = KeySets(session)
        self.terminals = Terminals(session)
        self.journals = Journals(session)
        self.verdicts = Verdicts(session)
        self.settlement = Settlement(session)
        self.acts = Acts(session)
        self.recoveries = Recoveries(session)

    def add(self, *rows: Base) -> None:
        """Stores new rows; their ids are known afterwards."""
        self.keep(*rows)
        self._session.flush()

    def keep(self, *rows: Base) -> None:
        """Stores new rows with whatever is sent next; their ids are not known yet."""
        for row in rows:
            self.cards.note(row)
            self.journals.note(row)
            self.terminals.note(row)
            self.verdicts.note(row)
            self.acts.note(row)
            self.settlement.note(row)
        self._session.add_all(rows)

    def flush(self) -> None:
        """Sends changes to the database, still inside the transaction."""
        self._session.flush()

    def commit(self) -> None:
        """Makes everything of this unit durable."""
        self._session.commit()
        while self._afterwards:
            self._afterwards.pop(0)()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Has ``act`` called once this unit is durable, and not at all if it never is."""
        self._afterwards.append(act)


class DatabaseWork:
    """Implements ``backend.services.unit_of_work.Work`` on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    @contextmanager
    def begin(self) -> Generator[Unit]:
        """The only writing transaction of its moment; rolled back unless committed."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield Unit(session)

    @contextmanager
    def read(self) -> Generator[Unit]:
        """A transaction that sees one state and can change nothing; never waits for writers."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield Unit(session)
