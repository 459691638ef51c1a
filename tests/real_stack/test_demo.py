"""``borsellino demo --pcsc``: the story through the real pcscd and its virtual reader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.pcsc


def test_the_story_is_the_same_through_pcscd(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "borsellino", "demo", "--pcsc", "--json", "--dir", "town"]
    done = subprocess.run(
        line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["holds"]
    assert all(card["unposted_cents"] == 0 for card in told["cards"])
