//! TLS 1.3 with pinned Ed25519 keys on both sides.
//!
//! What is refused here, and why:
//! - anything below TLS 1.3: the whole design rests on its exporter and its proof of possession;
//! - session tickets, resumption and early data: a resumed session skips the check of the other
//!   side's certificate, so a revoked peer would still be let in;
//! - names, chains and validity dates of certificates are *not* looked at: a peer is its key.

mod client;
mod server;
mod verifier;

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

pub(crate) use client::ClientTls;
pub(crate) use server::server_config;
pub(crate) use verifier::Expected;

use tieline_wire::certificate::Certificate;
use tieline_wire::key::{KeyId, VerifyKey};
use tieline_wire::problem::{Code, Problem};

/// Label of the exporter (RFC 8446 §7.5) that ties request tokens to one connection.
pub(crate) const CHANNEL_LABEL: &[u8] = b"EXPORTER-tieline-channel-v1";
/// Label of the exporter that gives a pair its token.
pub(crate) const PAIR_TOKEN_LABEL: &[u8] = b"EXPORTER-tieline-pair-token-v1";

/// What a finished handshake says of the other side. `Debug` shows no secret of it.
#[derive(Clone)]
pub(crate) struct Handshake {
    /// The other side's TLS key; `None` where it showed no certificate.
    pub tls_key: Option<VerifyKey>,
    /// Exporter output that names this connection.
    pub channel: [u8; 32],
    /// Exporter output from which a pair's token may be made.
    pub pair_secret: zeroize::Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Handshake")
            .field("tls_key", &self.tls_key)
            .finish_non_exhaustive()
    }
}

impl Handshake {
    /// The other side's pin.
    #[must_use]
    pub(crate) fn pin(&self) -> Option<KeyId> {
        self.tls_key.as_ref().map(VerifyKey::key_id)
    }

    /// Reads a finished connection.
    ///
    /// # Errors
    /// `TLS_FAILED` where the connection is not finished or the certificate cannot be read; neither
    /// happens after a handshake that these verifiers let through.
    pub(crate) fn of<Data>(connection: &rustls::ConnectionCommon<Data>) -> Result<Self, Problem> {
        let broken = |text: String| Problem::new(Code::TlsFailed).because(text);
        let certificate = shown_certificate(connection)?;
        let export = |label: &[u8]| {
            connection
                .export_keying_material([0_u8; 32], label, None)
                .map_err(|error| broken(error.to_string()))
        };
        let channel = export(CHANNEL_LABEL)?;
        let pair_secret = zeroize::Zeroizing::new(export(PAIR_TOKEN_LABEL)?);
        Ok(Self {
            tls_key: certificate.as_ref().map(Certificate::verify_key),
            channel,
            pair_secret,
        })
    }
}

/// The certificate that the other side of a finished connection showed, if it showed one.
///
/// # Errors
/// As [`Handshake::of`].
pub(crate) fn shown_certificate<Data>(
    connection: &rustls::ConnectionCommon<Data>,
) -> Result<Option<Certificate>, Problem> {
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    shown
        .map(|der| Certificate::from_der(der.as_ref()))
        .transpose()
        .map_err(|error| Problem::new(Code::TlsFailed).because(error.to_string()))
}

/// TLS 1.3 and nothing older.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider
        .cipher_suites
        .retain(|suite| matches!(suite, SupportedCipherSuite::Tls13(_)));
    Arc::new(provider)
}

/// TLS could not even be begun.
pub(crate) fn setup_failed(error: &rustls::Error) -> Problem {
    Problem::new(Code::TlsFailed).because(format!("TLS could not be set up: {error}."))
}
