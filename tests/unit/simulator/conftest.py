import pytest

from tests.unit.simulator.host import Host, host_of, purse_memory


@pytest.fixture
def host() -> Host:
    """A host before a card with one purse; nothing selected yet."""
    return host_of(purse_memory())


@pytest.fixture
def purse(host: Host) -> Host:
    """The same, purse selected, randoms exchanged, PIN verified."""
    host.open_purse()
    return host
