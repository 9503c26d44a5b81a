//! The bearer of legacy abTARS: an HS256 JWT made with the secret of both peers' files.
//!
//! What it does not prove must be known to whoever accepts it: it covers neither method nor path
//! nor body, it may be used again until it expires, and a token without `exp` never does. The
//! secret itself is accepted as a bearer as well. So it is off unless a person allowed it for a
//! peer, and then as good as the connection that it came over.

use base64::Engine;
use hmac::Mac;
use serde_json::Value;

use super::SharedToken;
use crate::encoding::{URL_SAFE_NO_PAD, decode_exact};
use crate::mac::keyed;
use crate::time::UnixMillis;

/// `{"alg":"HS256","typ":"JWT"}` in base64url.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// Seconds between `iat` and `exp` of what is made here.
const LIFETIME: i64 = 60;
/// Seconds by which the other clock may be ahead.
const AHEAD: f64 = 5.0;
/// The longest bearer read, in bytes.
const MAX_BEARER: usize = 8 * 1024;

/// What a bearer turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A token signed with the secret.
    Signed,
    /// The secret itself, now known to whoever saw the request.
    Secret,
}

/// Why a bearer is not one peer's. The asker learns only that it is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Not three parts of base64url with JSON in them. Likely cause: another kind of token.
    #[error("not a bearer token")]
    Malformed,
    /// Made with another secret. Likely cause: the `token` differs between the two files.
    #[error("the token was made with another secret")]
    BadSignature,
    /// `exp` is past. Likely cause: one of the two clocks is wrong, or a replay.
    #[error("the token has expired")]
    Expired,
    /// `iat` is more than 5 seconds ahead. Likely cause: one of the two clocks is wrong.
    #[error("the token is from the future")]
    IatFuture,
    /// Made for another name. Likely cause: the sender knows this machine by another name, or
    /// spells it with other capitals.
    #[error("the token is meant for another name")]
    WrongAud,
    /// Made in another name than the one this peer has here.
    #[error("the token names another sender")]
    WrongIss,
}

impl BearerError {
    /// The reason in abTARS's spelling.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::IatFuture => "iat_future",
            Self::WrongAud => "wrong_aud",
            Self::WrongIss => "wrong_iss",
        }
    }
}

/// A token for one request: `iss` is this machine's `self.name`, `aud` the receiver's own name.
#[must_use]
pub fn mint(secret: &SharedToken, iss: &str, aud: &str, now: UnixMillis) -> String {
    let iat = now.as_seconds();
    // Each value as serde_json writes it alone: the order of the fields is part of the form.
    let claims = format!(
        r#"{{"iss":{},"aud":{},"iat":{iat},"exp":{}}}"#,
        Value::from(iss),
        Value::from(aud),
        iat.saturating_add(LIFETIME)
    );
    let mut token = format!("{HEADER}.");
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let mac = keyed(secret.expose().as_bytes()).chain_update(&token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac.finalize().into_bytes(), &mut token);
    token
}

/// Checks a bearer against one peer: its secret, its name here, and this machine's `self.name`.
///
/// As in abTARS the token's own header decides nothing, and missing `iat` and `exp` pass.
///
/// # Errors
/// [`BearerError`].
pub fn verify(
    bearer: &str,
    secret: &SharedToken,
    peer_name: &str,
    own_name: &str,
    now: UnixMillis,
) -> Result<Bearer, BearerError> {
    if secret.is(bearer) {
        return Ok(Bearer::Secret);
    }
    if bearer.len() > MAX_BEARER {
        return Err(BearerError::Malformed);
    }
    let (message, signature) = bearer.rsplit_once('.').ok_or(BearerError::Malformed)?;
    let (_, claims) = message.split_once('.').ok_or(BearerError::Malformed)?;
    if claims.contains('.') {
        return Err(BearerError::Malformed);
    }
    let signature: [u8; 32] = decode_exact(signature).ok_or(BearerError::BadSignature)?;
    keyed(secret.expose().as_bytes())
        .chain_update(message)
        .verify_slice(&signature)
        .map_err(|_| BearerError::BadSignature)?;

    let claims = URL_SAFE_NO_PAD
        .decode(claims)
        .map_err(|_| BearerError::Malformed)?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| BearerError::Malformed)?;
    if !claims.is_object() {
        return Err(BearerError::Malformed);
    }
    let now = now.as_seconds() as f64;
    if seconds(&claims, "exp")?.is_some_and(|exp| exp < now) {
        return Err(BearerError::Expired);
    }
    if seconds(&claims, "iat")?.is_some_and(|iat| iat > now + AHEAD) {
        return Err(BearerError::IatFuture);
    }
    if claims.get("aud").and_then(Value::as_str) != Some(own_name) {
        return Err(BearerError::WrongAud);
    }
    if claims.get("iss").and_then(Value::as_str) != Some(peer_name) {
        return Err(BearerError::WrongIss);
    }
    Ok(Bearer::Signed)
}

/// A claim in Unix seconds, or nothing if it is missing.
fn seconds(claims: &Value, name: &str) -> Result<Option<f64>, BearerError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(BearerError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

    fn secret() -> SharedToken {
        SharedToken::new("s").unwrap()
    }

    fn signed(claims: &str) -> String {
        let message = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
        let mac = keyed(b"s").chain_update(&message).finalize().into_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    #[test]
    fn names_with_quotes_stay_one_claim() {
        let token = mint(&secret(), "k\",\"aud\":\"x", "molty", NOW);
        assert_eq!(
            verify(&token, &secret(), "k\",\"aud\":\"x", "molty", NOW),
            Ok(Bearer::Signed)
        );
        assert_eq!(
            verify(&token, &secret(), "kp", "molty", NOW),
            Err(BearerError::WrongIss)
        );
    }

    #[test]
    fn the_secret_itself_is_told_apart_from_a_token() {
        assert_eq!(
            verify("s", &secret(), "kp", "molty", NOW),
            Ok(Bearer::Secret)
        );
        assert_eq!(
            verify("S", &secret(), "kp", "molty", NOW),
            Err(BearerError::Malformed)
        );
    }

    #[test]
    fn claims_of_a_wrong_shape_are_refused() {
        for claims in [
            r#"{"iss":"kp","aud":"molty","exp":"9999999999"}"#,
            r#"{"iss":"kp","aud":"molty","exp":null}"#,
            r#"{"iss":"kp","aud":"molty","iat":{}}"#,
            r#"["kp","molty"]"#,
            "null",
            "",
        ] {
            assert_eq!(
                verify(&signed(claims), &secret(), "kp", "molty", NOW),
                Err(BearerError::Malformed),
                "{claims}"
            );
        }
        let float = r#"{"iss":"kp","aud":"molty","exp":1767225600.5}"#;
        assert!(verify(&signed(float), &secret(), "kp", "molty", NOW).is_ok());
    }
}
