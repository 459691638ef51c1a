"""The settlement service: programmes, loads, ingest, ledger, settlement, audit.

``domain`` holds rules and knows neither framework nor SQL; ``adapters`` store and
sign; ``services`` are the use cases, and transactions begin and end there; ``api``
and ``web`` are HTTP only; ``verifier`` imports nothing of ours.
"""
