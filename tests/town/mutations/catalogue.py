"""Every defect, by law."""

from tests.town.mutations.counters import COUNTERS
from tests.town.mutations.limits import BOUNDS
from tests.town.mutations.money import GRANTS, IDEMPOTENCE, MONEY
from tests.town.mutations.silence import SILENCE
from tests.town.mutations.tills import TILLS
from tests.town.mutations.uploads import UPLOADS
from tests.town.mutations.verdicts import VERDICTS

DEFECTS = tuple(
    sorted(
        (*MONEY, *GRANTS, *IDEMPOTENCE, *COUNTERS, *TILLS, *UPLOADS, *VERDICTS, *BOUNDS, *SILENCE),
        key=lambda defect: defect.law,
    )
)
NAMED = {defect.name: defect for defect in DEFECTS}
