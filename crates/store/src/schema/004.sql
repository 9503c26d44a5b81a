-- What proves that a request of another system is new: hashes of its signer and nonce, kept until the request would
-- be stale by itself. Kept here so that a restart forgets none.
CREATE TABLE nonces (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    stale_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX nonces_stale ON nonces (stale_from);
