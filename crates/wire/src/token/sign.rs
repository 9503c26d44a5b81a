use base64::Engine;
use serde::Serialize;

use super::{Binding, LIFETIME};
use crate::encoding::URL_SAFE_NO_PAD;
use crate::key::{KeyId, SigningKey};
use crate::time::UnixMillis;

/// `{"typ":"JWT","alg":"EdDSA"}` in base64url: the only header made here.
pub(super) const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9";

/// Makes tokens for requests to one peer.
#[derive(Debug, Clone)]
pub struct TokenSigner {
    key: SigningKey,
    issuer: String,
    audience: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    htm: &'a str,
    htu: &'a str,
    bsh: String,
    cb: String,
}

impl TokenSigner {
    /// A signer with this node's signing key, for the peer whose signing key has the id `audience`.
    #[must_use]
    pub fn new(key: &SigningKey, audience: KeyId) -> Self {
        Self {
            key: key.clone(),
            issuer: key.key_id().to_string(),
            audience: audience.to_string(),
        }
    }

    /// A token for one request. `jti` must not repeat on a connection: count up from any start.
    #[must_use]
    pub fn mint(&self, binding: &Binding<'_>, now: UnixMillis, jti: u64) -> String {
        let iat = now.as_seconds();
        let claims = serde_json::json!(Claims {
            iss: &self.issuer,
            aud: &self.audience,
            iat,
            exp: iat.saturating_add(LIFETIME),
            jti: jti.to_string(),
            htm: binding.method,
            htu: binding.path,
            bsh: URL_SAFE_NO_PAD.encode(binding.body_hash),
            cb: URL_SAFE_NO_PAD.encode(binding.channel),
        })
        .to_string();

        // Header, claims of some 350 bytes, and 86 characters of signature.
        let mut token = String::with_capacity(HEADER.len() + claims.len() * 4 / 3 + 92);
        token.push_str(HEADER);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.0, &mut token);
        token
    }
}
