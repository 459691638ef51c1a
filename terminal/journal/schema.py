"""Tables of the journal's file.

``entries`` is the journal: complete signed bytes, appended and never changed
(triggers refuse it). The tables of *derived* state follow from the entries and
move in the same transaction. The *agent's* tables say what the backend knows;
only the sync agent writes them.
"""

FORMAT = 1

STATEMENTS = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    complete BLOB NOT NULL,
    hash BLOB NOT NULL,
    intent_seq INTEGER
) STRICT;
CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_never_vanish BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

-- derived from entries
CREATE TABLE intents (
    seq INTEGER PRIMARY KEY,
    purse TEXT NOT NULL,
    ctr INTEGER NOT NULL,
    voids INTEGER,
    state TEXT NOT NULL CHECK (state IN ('open', 'unresolved', 'committed', 'not_applied'))
) STRICT;
CREATE INDEX intents_unsettled ON intents (purse) WHERE state IN ('open', 'unresolved');
CREATE INDEX intents_voiding ON intents (voids) WHERE voids IS NOT NULL;
CREATE TABLE purses (
    purse TEXT PRIMARY KEY,
    ctr INTEGER NOT NULL,
    record_hash BLOB NOT NULL
) STRICT;
CREATE TABLE grants_seen (
    purse TEXT NOT NULL,
    grant_seq INTEGER NOT NULL,
    entry_seq INTEGER NOT NULL,
    PRIMARY KEY (purse, grant_seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    receipt INTEGER NOT NULL,
    batch INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES (1, 0, 1);
CREATE TABLE clock_reference (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    boot_id BLOB NOT NULL,
    wall_ms INTEGER NOT NULL,
    monotonic_ms INTEGER NOT NULL
) STRICT;

-- the sync agent's
CREATE TABLE acknowledgements (
    number INTEGER PRIMARY KEY,
    complete BLOB NOT NULL,
    high_seq INTEGER NOT NULL,
    server_time INTEGER NOT NULL,
    nonce INTEGER NOT NULL
) STRICT;
CREATE TABLE quarantined (
    hash BLOB PRIMARY KEY,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE bundles (
    version INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    installed_ms INTEGER NOT NULL
) STRICT;
"""
