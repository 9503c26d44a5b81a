use base64::Engine;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::sign::HEADER;
use super::{Binding, JtiError, JtiWindow, LIFETIME};
use crate::encoding::{URL_SAFE_NO_PAD, decode_exact};
use crate::key::{KeyId, VerifyKey};

/// The longest token read, in bytes; a real one has about 600.
const MAX_TOKEN: usize = 8 * 1024;

/// What a token says. Types are exact: a number in quotes is not a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Id of the signing key of whoever asks.
    pub iss: KeyId,
    /// Id of the signing key of whoever is asked.
    pub aud: KeyId,
    /// When it was made, in Unix seconds by the asker's clock; for display only.
    pub iat: i64,
    /// At most 60 seconds after `iat`; for display only.
    pub exp: i64,
    /// Number of the request on its connection, in decimal.
    pub jti: String,
    /// Method.
    pub htm: String,
    /// Path and query.
    pub htu: String,
    /// SHA-256 of the body, base64url.
    pub bsh: String,
    /// The connection's exporter output, base64url.
    pub cb: String,
}

/// Why a token was refused. Only for this node's own log: the asker learns that it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with JSON in them, or too long. Likely cause: another kind of
    /// token, for example the documented bearer token of a local program.
    #[error("not a request token")]
    Malformed,
    /// A header other than `EdDSA`, or with parameters that would choose a key. Likely cause: an
    /// attack, or a token of another system.
    #[error("the token's header asks for another algorithm or key")]
    Header,
    /// Not signed by the peer's signing key. Likely cause: its keys were replaced, or an attack.
    #[error("the token's signature does not match")]
    Signature,
    /// A claim is missing, repeated, unknown or of the wrong type.
    #[error("the token's claims are not of the expected shape")]
    Claims,
    /// Issued in another key's name.
    #[error("the token names another issuer")]
    Issuer,
    /// Made for another node.
    #[error("the token is meant for another node")]
    Audience,
    /// `exp` is not 1 to 60 seconds after `iat`.
    #[error("the token's lifetime is not acceptable")]
    Lifetime,
    /// Made for another method, path or query.
    #[error("the token is for another method or path")]
    Request,
    /// Made for another body.
    #[error("the token is for another body")]
    Body,
    /// Made on another connection. Likely cause: a replay.
    #[error("the token belongs to another connection")]
    Channel,
    /// The number was used before on this connection, or is too far behind.
    #[error(transparent)]
    Replay(#[from] JtiError),
}

/// Checks tokens of one peer.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    key: DecodingKey,
    peer: KeyId,
    own: KeyId,
}

impl TokenVerifier {
    /// A verifier for requests signed by `peer` to the node whose signing key has the id `own`.
    #[must_use]
    pub fn new(peer: &VerifyKey, own: KeyId) -> Self {
        // Despite its name this constructor wants the raw 32 bytes.
        Self {
            key: DecodingKey::from_ed_der(peer.as_bytes()),
            peer: peer.key_id(),
            own,
        }
    }

    /// Checks everything, and uses the token's number up.
    ///
    /// A refused token leaves `window` as it was.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(
        &self,
        token: &str,
        binding: &Binding<'_>,
        window: &mut JtiWindow,
    ) -> Result<Claims, TokenError> {
        let (claims, number) = self.check(token, binding)?;
        window.accept(number)?;
        Ok(claims)
    }

    /// Checks everything but repetition, and returns the number to give to [`JtiWindow::accept`]
    /// before the request has any effect. For callers who do not want to hold the window meanwhile.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn check(&self, token: &str, binding: &Binding<'_>) -> Result<(Claims, u64), TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if claims.contains('.') {
            return Err(TokenError::Malformed);
        }
        check_header(header)?;

        // The algorithm comes from here, never from the header.
        match jsonwebtoken::crypto::verify(
            signature,
            message.as_bytes(),
            &self.key,
            Algorithm::EdDSA,
        ) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Err(TokenError::Signature),
        }

        let claims = URL_SAFE_NO_PAD
            .decode(claims)
            .map_err(|_| TokenError::Malformed)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Claims)?;
        let number = self.check_claims(&claims, binding)?;
        Ok((claims, number))
    }

    fn check_claims(&self, claims: &Claims, binding: &Binding<'_>) -> Result<u64, TokenError> {
        if claims.iss != self.peer {
            return Err(TokenError::Issuer);
        }
        if claims.aud != self.own {
            return Err(TokenError::Audience);
        }
        let lifetime = claims
            .exp
            .checked_sub(claims.iat)
            .ok_or(TokenError::Lifetime)?;
        if !(1..=LIFETIME).contains(&lifetime) {
            return Err(TokenError::Lifetime);
        }
        if claims.htm != binding.method || claims.htu != binding.path {
            return Err(TokenError::Request);
        }
        if decode_exact(&claims.bsh) != Some(binding.body_hash) {
            return Err(TokenError::Body);
        }
        if decode_exact(&claims.cb) != Some(binding.channel) {
            return Err(TokenError::Channel);
        }
        number(&claims.jti).ok_or(TokenError::Claims)
    }
}

/// Decimal without sign, blanks or leading zeros, so that each number has one spelling.
fn number(jti: &str) -> Option<u64> {
    let canonical =
        jti.bytes().all(|b| b.is_ascii_digit()) && (jti == "0" || !jti.starts_with('0'));
    jti.parse().ok().filter(|_| canonical)
}

/// Accepts `alg` EdDSA with or without `typ` JWT, and nothing else: no `kid`, `jwk` or `crit`.
fn check_header(header: &str) -> Result<(), TokenError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Header {
        alg: String,
        typ: Option<String>,
    }

    if header == HEADER {
        return Ok(());
    }
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
