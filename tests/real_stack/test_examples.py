"""The example that needs the real pcscd."""

import pytest

from tests.integration.examples.test_examples import WITH_DAEMON, run

pytestmark = pytest.mark.pcsc


def test_a_virtual_card_is_found_in_a_pcscd_of_its_own() -> None:
    told = run(WITH_DAEMON)
    assert "Virtual PCD 00 00" in told
    assert "balance: 50.00 EUR" in told
