"""A till before an applet card: the second driver, its chip, and what that chip refuses."""
