"""The sync agent: a pure step, the uplink (the only HTTP client), enrolment, the worker."""
