-- The peer's database that may hold a copy of an outgoing message: the one its first bytes went to, committed before
-- they left. Null where none can have left. Sixteen zeros where it cannot be known any more; no database is named so.
ALTER TABLE messages ADD COLUMN store_id BLOB CHECK (store_id IS NULL OR length(store_id) = 16);
UPDATE messages SET store_id = coalesce((SELECT peer_store_id FROM peers WHERE id = messages.peer_id), zeroblob(16))
    WHERE direction = 1 AND recipient IS NOT NULL AND state IN ('queued', 'sending', 'unconfirmed');
