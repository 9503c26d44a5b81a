//! Bounds on what the listeners of this crate take in.

use std::time::Duration;

/// Longest text for a peer that is not known to speak Tieline, in UTF-16 code units.
///
/// KithKit receivers paste at most 4000 characters and cut the rest without a word; see
/// [`tieline_wire::kithkit`].
pub const MAX_TEXT_UNITS: usize = tieline_wire::kithkit::MAX_LENGTH;

/// Largest payload for a Tieline peer, in bytes of its compact JSON.
pub const MAX_PAYLOAD_BYTES: usize = tieline_node::MAX_PAYLOAD;

/// Largest request body, in bytes.
///
/// Three times the largest payload, because a client may write every character beyond ASCII as a
/// `\uXXXX` escape, plus room for the rest of the request.
pub const MAX_BODY_BYTES: usize = 3 * MAX_PAYLOAD_BYTES + 64 * 1024;

/// A body above [`MAX_BODY_BYTES`] is read and thrown away up to here, so that a client which
/// sends first and reads later still sees why it was refused; beyond, the connection is closed.
pub(crate) const MAX_DRAINED_BYTES: usize = 32 * 1024 * 1024;

/// Time for a whole body to arrive.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for the head of a request to arrive; also how long an idle connection is kept.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes.
pub(crate) const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Connections served at once by one listener; more wait in the operating system's queue.
pub(crate) const MAX_CONNECTIONS: usize = 256;

/// How long requests in flight may go on after the listener was told to stop.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Longest `wait=` of a long poll.
pub const MAX_WAIT: Duration = Duration::from_secs(60);
