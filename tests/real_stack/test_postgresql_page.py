"""docs/postgresql.md: every line that it asks for is typed here."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import postgres_program
from tests.postgres_cluster import Cluster

pytestmark = pytest.mark.postgres

PAGE = Path(__file__).parents[2] / "docs" / "postgresql.md"


def lines_of(page: str) -> str:
    """What stands between the fences."""
    return "\n".join(part.partition("```")[0] for part in page.split("```sh\n")[1:])


def test_every_line_of_the_page_works(cluster: Cluster, tmp_path: Path) -> None:
    programs = postgres_program("pg_dump")
    assert programs is not None
    (tmp_path / "passphrase").write_text("a fine long phrase\n", "utf-8")
    environment = cluster.environment | {
        "BORSELLINO_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:{programs.parent}:{cluster.environment['PATH']}",
    }
    typed = f"set -eux\n{lines_of(PAGE.read_text('utf-8'))}"
    done = subprocess.run(
        ["bash", "-c", typed], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "checked" / "manifest.json").exists()
    assert "GRANT" in done.stdout
