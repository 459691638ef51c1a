"""Law 8: no name and no codice fiscale of a holder leaves the town hall, or enters a till."""

import re
from dataclasses import dataclass

from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.sql import Sql

_BUNDLES = "SELECT version, complete FROM bundle WHERE version > ? ORDER BY version"


@dataclass(slots=True)
class NameWatch:
    """Looks for ``declared.names`` in bytes that tills write or are sent."""

    declared: Declared
    _bundle: int = 0
    _count: int = 0
    _any: re.Pattern[bytes] | None = None

    def check(self, content: bytes, place: str) -> None:
        """TownError ``TOWN_NAME_WRITTEN`` where a holder is named."""
        names = self.declared.names
        if len(names) != self._count:
            self._count = len(names)
            self._any = re.compile(b"|".join(re.escape(one.encode()) for one in sorted(names)))
        found = self._any.search(content) if self._any is not None else None
        if found is not None:
            raise breach("TOWN_NAME_WRITTEN", 8, place, found.group().decode())

    def check_bundles(self, sql: Sql) -> None:
        """Those published since the last look."""
        for version, complete in sql.ask(_BUNDLES, self._bundle):
            self._bundle = version
            self.check(bytes(complete), f"bundle {version}")
