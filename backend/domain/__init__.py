"""The rules of money, verdicts and marks: no framework, no SQL, no clock."""
