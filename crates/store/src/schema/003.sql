-- Incoming messages that wait to be handed to a local agent, in the order of their numbers. The row goes when the
-- message was handed over. refusals: the tries that count towards giving up. given_up: tried too often; waits for
-- the person.
CREATE TABLE handovers (
    message_seq INTEGER PRIMARY KEY REFERENCES messages (seq),
    peer_id     INTEGER NOT NULL REFERENCES peers (id),
    tries       INTEGER NOT NULL DEFAULT 0,
    refusals    INTEGER NOT NULL DEFAULT 0,
    given_up    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX handovers_peer ON handovers (peer_id, given_up, message_seq);
