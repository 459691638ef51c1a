"""Nobody but ``cardlib.system`` asks the machine for the time or for random bytes.

The rule is ruff's (banned-api in pyproject.toml); here it is seen to be alive and unavoidable.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import PACKAGES, ROOT, modules

ASKING = {
    "datetime.datetime.now": "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "time.time": "import time\n\nNOW = time.time()\n",
    "time.monotonic": "from time import monotonic\n\nNOW = monotonic()\n",
    "os.urandom": "import os\n\nNONCE = os.urandom(8)\n",
    "secrets": "from secrets import token_bytes\n\nNONCE = token_bytes(8)\n",
    "random.random": "import random\n\nJITTER = random.random()\n",
    "uuid.uuid4": "import uuid\n\nID = uuid.uuid4()\n",
}
_ONLY_THIS_RULE = (
    *("--select", "TID251", "--output-format", "json"),
    *("--stdin-filename", "terminal/planted.py", "-"),
)


@pytest.mark.parametrize("banned", ASKING)
def test_asking_the_machine_is_refused(banned: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *_ONLY_THIS_RULE],
        cwd=ROOT,
        input=ASKING[banned],
        check=False,
        capture_output=True,
        text=True,
    )
    assert [finding["message"].split("`")[1] for finding in json.loads(told.stdout)] == [banned]


def test_nobody_switches_the_rule_off() -> None:
    rule = "TID" + "251"
    assert [path for path in modules(*PACKAGES) if rule in _text(path)] == []


def _text(path: Path) -> str:
    return path.read_text("utf-8")
