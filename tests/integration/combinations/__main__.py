"""Makes docs/combinations.md anew."""

import tempfile
from pathlib import Path

from tests.integration.combinations.page import PAGE, page
from tests.integration.combinations.shops import Shops
from tests.integration.combinations.space import Trial, combinations
from tests.integration.terminal.stage import Stage

with tempfile.TemporaryDirectory() as folder:
    stage = Stage(Path(folder))
    with stage.open_tills:
        trial = Trial(Shops.opened(stage))
        PAGE.write_text(page({wanted: trial.outcome(wanted) for wanted in combinations()}), "utf-8")
