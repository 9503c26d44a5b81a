//! One TLS connection, as requests on it see it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tieline_wire::key::KeyId;
use tieline_wire::token::JtiWindow;
use tokio_util::sync::CancellationToken;

use crate::tls::Handshake;

/// One TLS connection. Request tokens are bound to it and count on it.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Counts the connections of this process.
    pub id: u64,
    /// Where the other side is.
    pub remote: SocketAddr,
    /// What the handshake proved.
    pub handshake: Handshake,
    /// Token numbers received.
    pub received: Mutex<JtiWindow>,
    /// Token numbers sent.
    sent: AtomicU64,
    /// Cut when the peer is revoked or the node stops.
    pub cut: CancellationToken,
}

/// What a request shows to be believed. `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Proof {
    /// The request token, a JWT.
    pub token: String,
    /// HMAC over it under the pair's token.
    pub mac: Option<String>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Proof(..)")
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Channel {
    /// A channel over a finished handshake.
    #[must_use]
    pub(crate) fn new(remote: SocketAddr, handshake: Handshake, cut: CancellationToken) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            remote,
            handshake,
            received: Mutex::new(JtiWindow::new()),
            sent: AtomicU64::new(1),
            cut,
        }
    }

    /// The other side's pin.
    #[must_use]
    pub(crate) fn pin(&self) -> Option<KeyId> {
        self.handshake.pin()
    }

    /// A token number never used before on this connection by this side.
    #[must_use]
    pub(crate) fn next_jti(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }
}
