-- The store itself: its public id and the mark that tells a restored copy from the running line (see restore.rs).
CREATE TABLE store (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id  BLOB NOT NULL CHECK (length(store_id) = 16),
    mark      TEXT NOT NULL,
    previous  TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE peers (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    alias             TEXT NOT NULL,
    dialect           TEXT NOT NULL,
    state             TEXT NOT NULL,
    tls_key           BLOB,
    verify_key        BLOB,
    key_id            BLOB,
    certificate       BLOB,
    suggested_name    TEXT,
    addresses         TEXT NOT NULL,
    sealed_token      BLOB,
    token_confirmed   INTEGER NOT NULL,
    paired_by         TEXT NOT NULL,
    paired_at         INTEGER NOT NULL,
    clock_offset_ms   INTEGER,
    last_good_address TEXT,
    reach_out         TEXT,
    reach_in          TEXT,
    last_seen_at      INTEGER,
    last_error        TEXT,
    muted_until       INTEGER,
    options           TEXT NOT NULL,
    cut_at            INTEGER,
    peer_store_id     BLOB
) STRICT;

-- A revoked peer keeps its history but gives up its alias and its keys' uniqueness.
CREATE UNIQUE INDEX peers_alias ON peers (alias) WHERE state <> 'revoked';
CREATE UNIQUE INDEX peers_tls_key ON peers (tls_key) WHERE state <> 'revoked' AND tls_key IS NOT NULL;

-- One row per message and direction, kept as a tombstone until unpairing. direction: 0 in, 1 out.
-- assurance: 0 unauthenticated, 1 shared secret, 2 signed; a lower copy never stands for a higher one.
CREATE TABLE messages (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    peer_id            INTEGER NOT NULL REFERENCES peers (id),
    direction          INTEGER NOT NULL CHECK (direction IN (0, 1)),
    message_id         TEXT NOT NULL,
    assurance          INTEGER NOT NULL,
    sender             BLOB,
    recipient          BLOB,
    content_hash       BLOB NOT NULL CHECK (length(content_hash) = 32),
    kind               TEXT NOT NULL,
    payload_bytes      INTEGER NOT NULL,
    sent_at            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    state              TEXT NOT NULL,
    evidence           TEXT NOT NULL,
    mode               TEXT,
    exposed            INTEGER NOT NULL DEFAULT 0,
    route              TEXT,
    via                TEXT,
    expires_elapsed_ms INTEGER,
    receipt            BLOB,
    problem            TEXT,
    finished_at        INTEGER,
    read_at            INTEGER,
    handed_over_at     INTEGER,
    acknowledged_at    INTEGER
) STRICT;

CREATE UNIQUE INDEX messages_id ON messages (message_id, peer_id, direction, assurance);
CREATE INDEX messages_peer ON messages (peer_id);
CREATE INDEX messages_open ON messages (peer_id, seq) WHERE state IN ('queued', 'sending', 'unconfirmed');
CREATE INDEX messages_new ON messages (peer_id, seq) WHERE state = 'new';

-- Content lives apart, so that a change of state never rewrites it and retention can drop it.
CREATE TABLE bodies (
    seq     INTEGER PRIMARY KEY REFERENCES messages (seq),
    payload TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (
    text,
    content = 'bodies',
    content_rowid = 'seq',
    columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

-- Ids that were asked about, were unknown, and therefore must never be stored later.
CREATE TABLE fences (
    peer_id    INTEGER NOT NULL REFERENCES peers (id),
    message_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (peer_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    message_seq INTEGER NOT NULL REFERENCES messages (seq),
    ordinal     INTEGER NOT NULL,
    route       TEXT NOT NULL,
    via         TEXT,
    address     TEXT,
    phase       TEXT,
    status      TEXT NOT NULL,
    code        TEXT,
    detail      TEXT,
    started_at  INTEGER NOT NULL,
    latency_us  INTEGER,
    connect_us  INTEGER,
    tls_us      INTEGER,
    auth_us     INTEGER,
    store_us    INTEGER,
    PRIMARY KEY (message_seq, ordinal)
) STRICT, WITHOUT ROWID;

-- sent_at: when the peer took our receipt; null while it waits. The peer's own receipts count as sent.
CREATE TABLE receipts (
    message_seq INTEGER NOT NULL REFERENCES messages (seq),
    stage       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    receipt     BLOB,
    sent_at     INTEGER,
    PRIMARY KEY (message_seq, stage)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_unsent ON receipts (message_seq) WHERE sent_at IS NULL;

CREATE TABLE invites (
    invite_id  BLOB PRIMARY KEY,
    tls_key    BLOB NOT NULL,
    verify_key BLOB NOT NULL,
    peer_id    INTEGER NOT NULL REFERENCES peers (id),
    confirmed  INTEGER NOT NULL,
    bound_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    name       TEXT PRIMARY KEY,
    backend    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER
) STRICT, WITHOUT ROWID;
