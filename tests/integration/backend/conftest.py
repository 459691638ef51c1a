from collections.abc import Generator

import pytest
from sqlalchemy import Engine

from tests.integration.backend.books import check_export, check_laws
from tests.integration.backend.builders import Town


@pytest.fixture
def town(engine: Engine, request: pytest.FixtureRequest) -> Generator[Town]:
    """A municipality with one programme, two shops and money to give.

    However its story ends, the equations hold and the auditor finds nothing.
    """
    town = Town(engine)
    yield town
    check_laws(town)
    if "auditor_may_differ" not in request.fixturenames:
        check_export(town)


@pytest.fixture
def auditor_may_differ() -> None:
    """For stories about something that an auditor rightly names."""
