//! The proofs by which two machines pair through a one-time link.
//!
//! Both sides know the invite's secret, see the same TLS exporter, and have exchanged cards. Each
//! proves that it knows the secret (an HMAC) and holds the signing key of its card (a signature),
//! both over one transcript of everything exchanged. The joiner proves first, and the inviter
//! answers only after verifying, so that a machine in the middle learns nothing to try out.

use std::fmt;
use std::str::FromStr;

use hmac::Mac;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::bytes::lp;
use crate::encoding::bytes_type;
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::mac::{derive, keyed};

bytes_type!(
    /// Names an invite without revealing its secret: `HKDF(secret, "tieline invite id")`.
    InviteId,
    16,
    "an invite id"
);

bytes_type!(
    /// HMAC-SHA256 over a role and a transcript, see [`PairProof`].
    ProofMac,
    32,
    "a proof"
);

/// The 128-bit secret of a one-time link. Whoever holds it can join while the invite is open.
///
/// Wiped when dropped, never shown by `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InviteSecret([u8; 16]);

impl InviteSecret {
    /// A new secret from the operating system's random source.
    #[must_use]
    pub fn generate() -> Self {
        Self(crate::random::bytes())
    }

    /// The secret with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The secret bytes.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// What the joiner sends to say which invite it means.
    #[must_use]
    pub fn invite_id(&self) -> InviteId {
        InviteId(*derive(&self.0, b"tieline invite id"))
    }
}

impl PartialEq for InviteSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for InviteSecret {}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteSecret(secret)")
    }
}

/// A side of the pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Made the link.
    Inviter,
    /// Was given the link.
    Joiner,
}

impl Role {
    /// The role as it enters keys and signatures.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inviter => "inviter",
            Self::Joiner => "joiner",
        }
    }
}

/// Hash of everything both sides exchanged before the proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcript([u8; 32]);

impl Transcript {
    /// `SHA-256(lp("tieline-pair-v1", invite id, exporter, inviter card, joiner card))`.
    ///
    /// `exporter` is the TLS exporter output of this connection; the cards are the bytes that
    /// were sent and received, not parsed and written again.
    #[must_use]
    pub fn new(
        invite_id: &InviteId,
        exporter: &[u8; 32],
        inviter_card: &[u8],
        joiner_card: &[u8],
    ) -> Self {
        let all = lp(&[
            b"tieline-pair-v1",
            invite_id.as_bytes(),
            exporter,
            inviter_card,
            joiner_card,
        ]);
        Self(Sha256::digest(all).into())
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        [Self::Inviter, Self::Joiner]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(NotARole)
    }
}

/// The text is neither `inviter` nor `joiner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pairing role")]
pub struct NotARole;

/// One side's proof over a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairProof {
    /// `HMAC(HKDF(secret, role), transcript)`.
    pub mac: ProofMac,
    /// The signing key's signature over `role || transcript`.
    pub signature: Signature,
}

/// A proof that does not hold. Which half failed is for this node's log only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The secret, the role, or anything in the transcript differs. Likely cause: a link that was
    /// altered, or a machine in between.
    #[error("the pairing proof does not match this link")]
    Mac,
    /// The signing key of the card did not sign. Likely cause: a card of another machine.
    #[error("the pairing proof was not signed by the card's key")]
    Signature,
}

/// Makes the proof of one side.
#[must_use]
pub fn prove(
    role: Role,
    secret: &InviteSecret,
    key: &SigningKey,
    transcript: &Transcript,
) -> PairProof {
    PairProof {
        mac: ProofMac(mac(role, secret, transcript).finalize().into_bytes().into()),
        signature: key.sign(&signed_bytes(role, transcript)),
    }
}

/// Checks the proof of the other side, in constant time as far as the secret goes.
///
/// `role` is the role of the side that made it.
///
/// # Errors
/// [`ProofError`].
pub fn check(
    role: Role,
    secret: &InviteSecret,
    key: &VerifyKey,
    transcript: &Transcript,
    proof: &PairProof,
) -> Result<(), ProofError> {
    mac(role, secret, transcript)
        .verify_slice(proof.mac.as_bytes())
        .map_err(|_| ProofError::Mac)?;
    key.verify(&signed_bytes(role, transcript), &proof.signature)
        .map_err(|_| ProofError::Signature)
}

fn mac(role: Role, secret: &InviteSecret, transcript: &Transcript) -> hmac::Hmac<Sha256> {
    keyed(&*derive::<32>(&secret.0, role.as_str().as_bytes())).chain_update(transcript.0)
}

fn signed_bytes(role: Role, transcript: &Transcript) -> Vec<u8> {
    [role.as_str().as_bytes(), &transcript.0].concat()
}
