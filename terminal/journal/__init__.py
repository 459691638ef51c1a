"""The journal of a till: signed entries, appended durably, never changed (DESIGN 6).

``journal.Journal`` writes, ``journal.JournalReader`` is what other processes
and the sync agent open. Nothing here knows cards, screens or the network.
"""
