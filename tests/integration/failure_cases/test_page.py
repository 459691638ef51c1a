"""docs/failure-cases.md lists the tests that there are, and every case has one."""

from tests.integration.failure_cases.page import CASES, PAGE, names_of_tests, number_of, page


def test_every_case_has_a_test_and_every_test_a_case() -> None:
    numbers = {number_of(test) for test in names_of_tests()} - {None}
    assert numbers == set(CASES) == set(range(1, 29))


def test_the_page_lists_the_tests_as_they_are() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.integration.failure_cases"
