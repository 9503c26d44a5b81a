//! The engine: identity, pairing, listener, routes, outbox, inbox.
