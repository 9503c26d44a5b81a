//! Requests and answers on a line.

use bytes::Bytes;
use http::StatusCode;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::token::{Binding, PairToken, TokenSigner, pair_mac};

use crate::clock::wall_now;
use crate::protocol::{Channel, Proof};

/// What this node needs to speak to one peer: its signing key for that peer, and their token.
#[derive(Clone)]
pub(crate) struct Speaker {
    /// Mints request tokens for this peer.
    pub signer: std::sync::Arc<TokenSigner>,
    /// The pair's token; `None` until it is bound.
    pub pair_token: Option<std::sync::Arc<PairToken>>,
}

impl Speaker {
    /// The proof for one request on one channel.
    #[must_use]
    pub(crate) fn prove(&self, channel: &Channel, method: &str, path: &str, body: &[u8]) -> Proof {
        let binding = Binding {
            method,
            path,
            body_hash: Sha256::digest(body).into(),
            channel: channel.handshake.channel,
        };
        let token = self.signer.mint(&binding, wall_now(), channel.next_jti());
        let mac = self.pair_token.as_ref().map(|pair| pair_mac(pair, &token));
        Proof { token, mac }
    }
}

/// A peer's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status, also in frames.
    pub status: StatusCode,
    /// JSON.
    pub body: Bytes,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct ExchangeError {
    /// Why.
    pub problem: Problem,
    /// Whether the peer may have received it.
    pub sent: bool,
}

impl Answer {
    /// The body of a success, or the peer's problem.
    ///
    /// # Errors
    /// The problem the peer names, or `RESPONSE_INVALID` for anything that is not the protocol.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.status.is_success() {
            return Err(self.problem());
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Problem::new(Code::ResponseInvalid).because(error.to_string()))
    }

    /// The peer's problem, or `RESPONSE_INVALID` where it named none.
    #[must_use]
    pub(crate) fn problem(&self) -> Problem {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            Problem::new(Code::ResponseInvalid).because(format!(
                "The peer answered with HTTP status {}.",
                self.status.as_u16()
            ))
        })
    }
}
