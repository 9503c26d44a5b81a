//! The bearer as the published page describes it: a JWT signed with the sender's Ed25519 key.
//!
//! No release of abTARS sends it; programs written from that page do. It is bound to a short time
//! by this machine's clock and to one use by its `jti`, which the caller records durably. What is
//! made here also names method, target and body; where those claims are present they must match.

use base64::Engine;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::clock;
use super::request::{Covered, Fresh};
use crate::encoding::{URL_SAFE_NO_PAD, decode_exact};
use crate::key::{Signature, SigningKey, VerifyKey};
use crate::time::UnixMillis;

/// Seconds between `iat` and `exp` of what is made here.
const LIFETIME: i64 = 60;
/// The longest lifetime accepted, in seconds: how long a `jti` has to be remembered.
const MAX_LIFETIME: i64 = 300;
/// The longest token and the longest `jti` read, in bytes.
const MAX_TOKEN: usize = 8 * 1024;
const MAX_JTI: usize = 128;

/// Why a token was refused. The asker learns only that it is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with JSON in them, or too long.
    #[error("not a signed token")]
    Malformed,
    /// A header other than `EdDSA`, or one that would choose a key. Likely cause: a token of
    /// another system, or an attack.
    #[error("the token's header asks for another algorithm or key")]
    Header,
    /// Not signed by the peer's key. Likely cause: its keys were replaced, or an attack.
    #[error("the token's signature does not match")]
    Signature,
    /// A claim is missing, repeated or of the wrong type, or the token is one that Tieline nodes
    /// use among themselves.
    #[error("the token's claims are not of the expected shape")]
    Claims,
    /// Made in another name than the one this peer has here.
    #[error("the token names another sender")]
    Issuer,
    /// Made for another name. Likely cause: the sender knows this machine by another name.
    #[error("the token is meant for another name")]
    Audience,
    /// Expired, from the future, or valid for more than five minutes. Likely cause: one of the two
    /// clocks is wrong, or a replay.
    #[error("the token is not valid at this time")]
    Time,
    /// Made for another method, target or body.
    #[error("the token is for another request")]
    Request,
}

#[derive(Serialize)]
struct Minted<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    bsh: String,
}

/// The parts of a token that decide; others are ignored.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    htm: Option<String>,
    htu: Option<String>,
    bsh: Option<String>,
    /// Binds a token of two Tieline nodes to their connection.
    cb: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: Option<String>,
}

/// A token for one request: `iss` is this machine's `self.name`, `aud` the receiver's, and `jti`
/// unlike any other.
#[must_use]
pub fn mint(
    key: &SigningKey,
    iss: &str,
    aud: &str,
    covered: &Covered<'_>,
    now: UnixMillis,
    jti: &str,
) -> String {
    let iat = now.as_seconds();
    let claims = serde_json::json!(Minted {
        iss,
        aud,
        iat,
        exp: iat.saturating_add(LIFETIME),
        jti,
        htm: covered.method,
        htu: covered.target,
        bsh: URL_SAFE_NO_PAD.encode(Sha256::digest(covered.body)),
    });
    let mut token = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.0, &mut token);
    token
}

/// The `iss` of a token, unchecked: it says which peer's key to check the token with. `None` if
/// this is not a JWT, for example a legacy bearer that is the secret itself.
#[must_use]
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }

    let (_, claims, _) = split(token).ok()?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let issuer: Issuer = serde_json::from_slice(&claims).ok()?;
    Some(issuer.iss)
}

/// Whether a bearer's header says that it is signed with an Ed25519 key, unchecked.
#[must_use]
pub fn is_eddsa(token: &str) -> bool {
    split(token).is_ok_and(|(message, _, _)| {
        let header = message.split_once('.').map_or("", |(header, _)| header);
        check_header(header).is_ok()
    })
}

/// Checks a token of the peer with this key and name. The [`Fresh::nonce`] is its `jti`, which the
/// caller must record for this peer before acting.
///
/// # Errors
/// [`TokenError`].
pub fn verify(
    token: &str,
    key: &VerifyKey,
    peer_name: &str,
    own_name: &str,
    covered: &Covered<'_>,
    now: UnixMillis,
) -> Result<Fresh<String>, TokenError> {
    let (message, claims, signature) = split(token)?;
    let header = message.split_once('.').map_or("", |(header, _)| header);
    check_header(header)?;
    let signature = decode_exact::<64>(signature)
        .map(Signature)
        .ok_or(TokenError::Signature)?;
    // The algorithm comes from here, never from the header.
    key.verify(message.as_bytes(), &signature)
        .map_err(|_| TokenError::Signature)?;

    let claims = URL_SAFE_NO_PAD
        .decode(claims)
        .map_err(|_| TokenError::Malformed)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Claims)?;
    if claims.cb.is_some() || claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(TokenError::Claims);
    }
    if claims.iss != peer_name {
        return Err(TokenError::Issuer);
    }
    if claims.aud != own_name {
        return Err(TokenError::Audience);
    }
    check_time(&claims, now.as_seconds())?;
    check_request(&claims, covered)?;
    Ok(Fresh {
        nonce: claims.jti,
        stale_from: clock::stale_from(claims.exp),
    })
}

/// Signed message, claims and signature.
fn split(token: &str) -> Result<(&str, &str, &str), TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (_, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
    if claims.contains('.') {
        return Err(TokenError::Malformed);
    }
    Ok((message, claims, signature))
}

fn check_header(header: &str) -> Result<(), TokenError> {
    let json = URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&json).map_err(|_| TokenError::Header)?;
    let typ = header.typ.as_deref().unwrap_or("JWT");
    if header.alg == "EdDSA" && typ == "JWT" {
        Ok(())
    } else {
        Err(TokenError::Header)
    }
}

fn check_time(claims: &Claims, now: i64) -> Result<(), TokenError> {
    let lifetime = claims.exp.checked_sub(claims.iat).ok_or(TokenError::Time)?;
    let good = (1..=MAX_LIFETIME).contains(&lifetime)
        && claims.iat <= now.saturating_add(clock::WINDOW)
        && claims.exp >= now.saturating_sub(clock::WINDOW);
    if good { Ok(()) } else { Err(TokenError::Time) }
}

fn check_request(claims: &Claims, covered: &Covered<'_>) -> Result<(), TokenError> {
    let matches =
        |claim: &Option<String>, wanted: &str| claim.as_deref().is_none_or(|claim| claim == wanted);
    let body = claims
        .bsh
        .as_deref()
        .is_none_or(|bsh| decode_exact(bsh) == Some(Sha256::digest(covered.body).into()));
    if matches(&claims.htm, covered.method) && matches(&claims.htu, covered.target) && body {
        Ok(())
    } else {
        Err(TokenError::Request)
    }
}
