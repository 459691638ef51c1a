"""Another project's test with a pcscd of its own."""

from pathlib import Path

import pytest

from tests.integration.simulator.test_pytest_plugin import PCSCD_TEST, project, run

__all__ = ["project"]

pytestmark = pytest.mark.pcsc


def test_another_project_gets_readers_of_a_private_daemon(project: Path) -> None:
    (project / "test_readers.py").write_text(PCSCD_TEST)
    told = run(project, "-rs")
    assert "1 passed" in told, told
