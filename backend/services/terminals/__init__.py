"""What belongs to a till: enrolment, bundles, its security module, its loss, the marks."""
