"""The till's screen, and the only part of the terminal that knows Textual.

::

    keys, mouse ─► TillScreen ──jobs──► CounterWorker (one thread) ─► Serving ─► SaleSession
                       ▲                                                │        Recovery
                       └───────────── messages (dataclasses) ◄──────────┘

``serving``, ``card_slot`` and what they use run in the worker's thread and never touch
a widget; widgets never touch a card or the journal. Every word comes from the catalogue.
"""
