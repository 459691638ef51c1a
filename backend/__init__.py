"""The settlement service: ledger, ingest, settlement, administration.

It may import ``cardlib.wire``, ``codec``, ``keys`` and ``dialogues``, never what touches a reader.
"""
