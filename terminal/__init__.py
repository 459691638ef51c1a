"""The till, its journal and its sync agent.

A sale, its recovery, the journal, risk, receipts and the sync step know no screen, no HTTP
library and no clock of their own; ``agent`` holds the only HTTP client, ``ui`` the screens.
"""
