//! Signed requests of current abTARS: four headers, one Ed25519 signature.
//!
//! The signature covers method, target, time, nonce and body. It does not cover who is asked, the
//! sender's name, the hops or the session: whoever receives a request could show it to a third
//! machine within the [window](super::WINDOW). A receiver that wants to be sure demands the
//! [message tag](super::tag) as well.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{clock, hex};
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::random;
use crate::time::UnixMillis;

/// Header with the sender's `self.name`.
pub const PEER_ID: &str = "x-peer-id";
/// Header with the Unix time in seconds, decimal.
pub const PEER_TS: &str = "x-peer-ts";
/// Header with the nonce.
pub const PEER_NONCE: &str = "x-peer-nonce";
/// Header with the signature in base64.
pub const PEER_SIG: &str = "x-peer-sig";
/// Header with the hops that are left.
pub const PEER_HOPS: &str = "x-peer-hops";

/// What a request signature covers, besides its own time and nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered<'a> {
    /// Method, upper case as on the request line.
    pub method: &'a str,
    /// Request target exactly as on the request line, with its query.
    pub target: &'a str,
    /// The body's bytes; none for `GET`.
    pub body: &'a [u8],
}

/// 16 bytes that make a request unlike any other; 32 lower-case hex digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// A new nonce from the operating system's random source.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    /// The nonce with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads exactly 32 lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

/// The headers of one signed request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// `X-Peer-Ts`.
    pub ts: String,
    /// `X-Peer-Nonce`.
    pub nonce: String,
    /// `X-Peer-Sig`.
    pub sig: String,
}

impl Proof {
    /// All four headers, for a sender with this `self.name`.
    #[must_use]
    pub fn headers<'a>(&'a self, own_name: &'a str) -> [(&'static str, &'a str); 4] {
        [
            (PEER_ID, own_name),
            (PEER_TS, &self.ts),
            (PEER_NONCE, &self.nonce),
            (PEER_SIG, &self.sig),
        ]
    }

    /// The same as a receiver finds it.
    #[must_use]
    pub fn received(&self) -> Received<'_> {
        Received {
            ts: Some(&self.ts),
            nonce: Some(&self.nonce),
            sig: Some(&self.sig),
        }
    }
}

/// The three headers of a proof as they arrived, each as text or missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Received<'a> {
    /// `X-Peer-Ts`.
    pub ts: Option<&'a str>,
    /// `X-Peer-Nonce`; any text is a nonce.
    pub nonce: Option<&'a str>,
    /// `X-Peer-Sig`.
    pub sig: Option<&'a str>,
}

/// A request whose signature holds. It may be acted on only once its nonce is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh<N> {
    /// To be recorded durably in one step with the check that it is new; else it is a replay.
    pub nonce: N,
    /// Until when the nonce must be remembered: from then on the request is stale by itself.
    pub stale_from: UnixMillis,
}

/// Why a signed request was refused. The asker learns only `sig_invalid`; these are for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A header is missing. Likely cause: a legacy abTARS, or another program.
    #[error("a signature header is missing")]
    MissingHeaders,
    /// The time does not begin with a number.
    #[error("the request's time is not a number")]
    InvalidTs,
    /// More than 30 seconds off. Likely cause: one of the two clocks is wrong, or a replay.
    #[error("the request's time is more than 30 seconds off")]
    StaleTs,
    /// The signature does not match. Likely cause: the peer's keys were replaced, something on
    /// the way changed the request, or an attack.
    #[error("the request's signature does not match")]
    BadSig,
}

impl ProofError {
    /// The reason as abTARS logs it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::MissingHeaders => "missing_headers",
            Self::InvalidTs => "invalid_ts",
            Self::StaleTs => "stale_ts",
            Self::BadSig => "bad_sig",
        }
    }
}

/// The text that is signed: six lines, without a newline at the end.
#[must_use]
pub fn canonical(covered: &Covered<'_>, ts: &str, nonce: &str) -> String {
    format!(
        "abtars-req-v1\n{}\n{}\n{ts}\n{nonce}\n{}",
        covered.method,
        covered.target,
        hex::encode(&Sha256::digest(covered.body))
    )
}

/// Signs a request.
#[must_use]
pub fn sign(key: &SigningKey, covered: &Covered<'_>, now: UnixMillis, nonce: Nonce) -> Proof {
    let (ts, nonce) = (now.as_seconds().to_string(), nonce.to_string());
    let sig = key
        .sign(canonical(covered, &ts, &nonce).as_bytes())
        .to_string();
    Proof { ts, nonce, sig }
}

/// Checks a request against the key of the peer whose name it gives.
///
/// Whether the nonce was used before is for the caller, see [`Fresh`].
///
/// # Errors
/// [`ProofError`], the first that applies in the order of its variants.
pub fn verify<'a>(
    key: &VerifyKey,
    covered: &Covered<'_>,
    received: Received<'a>,
    now: UnixMillis,
) -> Result<Fresh<&'a str>, ProofError> {
    let (Some(ts), Some(nonce), Some(sig)) = (received.ts, received.nonce, received.sig) else {
        return Err(ProofError::MissingHeaders);
    };
    let seconds = clock::lenient_integer(ts).ok_or(ProofError::InvalidTs)?;
    if !clock::is_fresh(seconds, now) {
        return Err(ProofError::StaleTs);
    }
    // A line break would move the borders between the signed fields. HTTP allows none, but these
    // values also come out of JSON.
    if [covered.method, covered.target, ts, nonce]
        .iter()
        .any(|field| field.contains('\n'))
    {
        return Err(ProofError::BadSig);
    }
    let signature: Signature = sig.parse().map_err(|_| ProofError::BadSig)?;
    key.verify(canonical(covered, ts, nonce).as_bytes(), &signature)
        .map_err(|_| ProofError::BadSig)?;
    Ok(Fresh {
        nonce,
        stale_from: clock::stale_from(seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
    const GET: Covered<'static> = Covered {
        method: "GET",
        target: "/v1/agent-card",
        body: b"",
    };

    #[test]
    fn any_base64_spelling_of_a_signature_is_read() {
        let key = SigningKey::from_seed(&[7; 32]);
        let proof = sign(&key, &GET, NOW, Nonce::from_bytes([1; 16]));
        let url = proof.sig.replace('+', "-").replace('/', "_");
        let bare = url.trim_end_matches('=').to_owned();
        let spaced = format!(" {} ", proof.sig);
        for sig in [&proof.sig, &url, &bare, &spaced] {
            let received = Received {
                sig: Some(sig),
                ..proof.received()
            };
            assert!(
                verify(&key.verify_key(), &GET, received, NOW).is_ok(),
                "{sig}"
            );
        }
    }

    #[test]
    fn fields_cannot_flow_into_one_another() {
        let key = SigningKey::from_seed(&[7; 32]);
        let honest = Covered {
            target: "/a\n1767225600\nx",
            ..GET
        };
        let proof = sign(&key, &honest, NOW, Nonce::from_bytes([1; 16]));
        assert_eq!(
            verify(&key.verify_key(), &honest, proof.received(), NOW),
            Err(ProofError::BadSig)
        );
    }

    #[test]
    fn a_nonce_is_needed_only_while_its_request_is_fresh() {
        let key = SigningKey::from_seed(&[7; 32]);
        let proof = sign(&key, &GET, NOW, Nonce::from_bytes([1; 16]));
        let check = |at| verify(&key.verify_key(), &GET, proof.received(), at);
        let stale_from = check(NOW).unwrap().stale_from;
        assert!(check(UnixMillis(stale_from.0 - 1)).is_ok());
        assert_eq!(check(stale_from), Err(ProofError::StaleTs));
    }
}
