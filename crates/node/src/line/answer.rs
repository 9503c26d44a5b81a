//! Requests and answers on a line.

use bytes::Bytes;
use http::StatusCode;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Receipt;
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

    /// The peer's problem [`retold`], or `RESPONSE_INVALID` where it named none.
    #[must_use]
    pub(crate) fn problem(&self) -> Problem {
        if let Ok(said) = serde_json::from_slice(&self.body) {
            return retold(said);
        }
        match serde_json::from_slice::<Unknown>(&self.body) {
            Ok(Unknown { code }) if is_code(&code) => Problem::new(Code::PeerRefusedUs)
                .because("Its reason is of a newer version of Tieline than this one.")
                .with("code", code),
            _ => Problem::new(Code::ResponseInvalid).because(format!(
                "The peer answered with HTTP status {}.",
                self.status.as_u16()
            )),
        }
    }

    /// The receipt that a refusal for good carries in its details; not checked.
    #[must_use]
    pub(crate) fn refusal(&self) -> Option<Receipt> {
        #[derive(serde::Deserialize)]
        struct Refusal {
            detail: Detail,
        }
        #[derive(serde::Deserialize)]
        struct Detail {
            receipt: Receipt,
        }
        let refusal: Refusal = serde_json::from_slice(&self.body).ok()?;
        Some(refusal.detail.receipt)
    }
}

/// A problem whose code this version does not know: a newer peer's.
#[derive(serde::Deserialize)]
struct Unknown {
    code: String,
}

fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Facts of a peer's problem that are passed on where they are numbers.
const FACTS: [&str; 2] = ["actualLength", "maxLength"];

/// Reasons that a peer can have for refusing a request. With any other it would have this node
/// tell the person of things that did not happen here, such as a locked vault or a changed key.
const REASONS: [Code; 24] = [
    Code::InvalidRequest,
    Code::InvalidTarget,
    Code::PayloadTooLarge,
    Code::DeliveryFailed,
    Code::IdConflict,
    Code::NotFound,
    Code::RateLimited,
    Code::LinkExpired,
    Code::InviteUnknown,
    Code::InviteUsed,
    Code::InviteLocked,
    Code::ProofWrong,
    Code::OwnLink,
    Code::CardInvalid,
    Code::CardMismatch,
    Code::PeerExists,
    Code::NewKey,
    Code::TokenInvalid,
    Code::PeerRevoked,
    Code::PeerBusy,
    Code::StoreDamaged,
    Code::StoreFull,
    Code::StoreFailed,
    Code::Internal,
];

/// Reasons that a peer can have for not reaching this node.
const DIAL_REASONS: [Code; 8] = [
    Code::ResolveFailed,
    Code::ConnectRefused,
    Code::ConnectTimeout,
    Code::Unreachable,
    Code::NoAddress,
    Code::TlsFailed,
    Code::NotTls,
    Code::PinMismatch,
];

/// What a peer says went wrong, in this node's words: its code and the numbers that go with it.
/// Its sentences would be read as this program's, and followed.
fn retold(said: Problem) -> Problem {
    if !REASONS.contains(&said.code) {
        return Problem::new(Code::PeerRefusedUs).because(format!(
            "Its reason {} is none that a peer can have.",
            said.code
        ));
    }
    let mut problem = Problem::new(said.code);
    for (key, value) in said.detail.into_iter().flat_map(|detail| *detail) {
        if FACTS.contains(&key.as_str()) && value.is_u64() {
            problem = problem.with(&key, value);
        }
    }
    problem
}

/// Why a peer could not dial this node, in this node's words.
pub(crate) fn retold_dial(said: Problem) -> Problem {
    if DIAL_REASONS.contains(&said.code) {
        Problem::new(said.code)
    } else {
        Problem::new(Code::Unreachable)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_a_newer_version_keeps_its_code() {
        let answer = |body: &str| Answer {
            status: StatusCode::FORBIDDEN,
            body: body.to_owned().into(),
        };
        let problem = answer(r#"{"code":"MOON_PHASE","summary":"Pay now."}"#).problem();
        assert_eq!(problem.code, Code::PeerRefusedUs);
        assert_eq!(
            serde_json::to_value(&problem.detail).unwrap(),
            serde_json::json!({"code": "MOON_PHASE"})
        );
        let invalid = answer(r#"{"code":"<b>pay</b>"}"#).problem();
        assert_eq!(invalid.code, Code::ResponseInvalid);
    }

    #[test]
    fn a_peers_words_are_not_passed_on_but_its_code_and_numbers_are() {
        let said = Problem::new(Code::PayloadTooLarge)
            .summary("Your licence has expired.")
            .because("Pay now.")
            .remedy("Run this command.")
            .with("maxLength", 3_500)
            .with("actualLength", "many")
            .with("html", "<b>");
        let told = retold(said);
        let table = Problem::new(Code::PayloadTooLarge);
        assert_eq!(
            (&told.summary, &told.cause, &told.remedy),
            (&table.summary, &table.cause, &table.remedy)
        );
        let detail = serde_json::to_value(&told.detail).unwrap();
        assert_eq!(detail, serde_json::json!({"maxLength": 3_500}));
    }

    #[test]
    fn a_peer_cannot_report_what_happens_only_here() {
        let told = |code| retold(Problem::new(code)).code;
        assert_eq!(told(Code::StoreFull), Code::StoreFull);
        for here in [
            Code::VaultLocked,
            Code::PinMismatch,
            Code::StoreRestored,
            Code::Expired,
        ] {
            assert_eq!(told(here), Code::PeerRefusedUs);
        }
        let dialled = |code| retold_dial(Problem::new(code)).code;
        assert_eq!(dialled(Code::ConnectTimeout), Code::ConnectTimeout);
        assert_eq!(dialled(Code::VaultLocked), Code::Unreachable);
    }
}
