"""Makes docs/failure-cases.md anew."""

from tests.integration.failure_cases.page import PAGE, page

PAGE.write_text(page(), "utf-8")
