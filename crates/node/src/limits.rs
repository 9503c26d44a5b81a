//! Every bound on what outsiders can make this node do, in one place.

use std::time::Duration;

/// Largest payload between Tieline nodes, in bytes of its JSON.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
/// Largest body of a request between nodes: a payload and what surrounds it.
pub(crate) const MAX_BODY: usize = MAX_PAYLOAD + 16 * 1024;
/// Largest header block of a request.
pub(crate) const MAX_HEADERS: usize = 16 * 1024;
/// Connections to the peer listener at once, all addresses together.
pub(crate) const MAX_CONNECTIONS: usize = 256;
/// Connections from one address at once.
pub(crate) const MAX_CONNECTIONS_PER_ADDRESS: usize = 32;
/// Connections of one peer at once: an honest one needs two or three.
pub(crate) const MAX_CONNECTIONS_PER_PEER: usize = 16;
/// Handshakes from one address a minute.
pub(crate) const MAX_HANDSHAKES_PER_MINUTE: u32 = 120;
/// Requests in progress on one connection.
pub(crate) const MAX_STREAMS: u32 = 128;
/// Messages that a machine may leave here before the person keeps it.
pub(crate) const MAX_UNKEPT_MESSAGES: u64 = 1_000;
/// Bytes of their payloads.
pub(crate) const MAX_UNKEPT_BYTES: u64 = 16 * MAX_PAYLOAD as u64;
/// Bytes that a peer may leave here within an hour: payloads, and what is kept beside them.
pub(crate) const MAX_HOURLY_BYTES: u64 = 1024 * MAX_PAYLOAD as u64;
/// Ids of one peer that this node has promised never to store. Each stands for a message that was
/// lost on its way and asked about since.
pub(crate) const MAX_FENCES: usize = 65_536;
/// Requests in progress on one connection of a machine that is not paired.
pub(crate) const MAX_STRANGER_REQUESTS: usize = 4;
/// Bytes of bodies that one peer may have under way, over all its connections.
pub(crate) const MAX_PEER_BODIES: usize = 64 * MAX_BODY;
/// What [`MAX_PEER_BODIES`] is counted in, bytes.
pub(crate) const BODY_UNIT: usize = 1024;
/// Message ids in one status query, and receipts in one report.
pub(crate) const MAX_BATCH: usize = 256;

/// Time for a TLS handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the headers of a request.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a request's body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for resolving a name.
pub(crate) const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for connecting to one address.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between the starts of connections to two addresses of a peer (RFC 8305 §5).
pub(crate) const ADDRESS_STAGGER: Duration = Duration::from_millis(250);
/// Time for a peer's answer.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection without requests is closed after this.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// The same for one of a machine that is not paired.
pub(crate) const STRANGER_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a held connection is checked.
pub(crate) const HELD_PING: Duration = Duration::from_secs(10);
/// A held connection that is silent for this long is dead.
pub(crate) const HELD_SILENCE: Duration = Duration::from_secs(25);
