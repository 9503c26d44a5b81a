//! The dialling side.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error};
use tieline_wire::key::KeyId;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::verifier::{Expected, PinnedServer, Possession};
use super::{Handshake, provider, setup_failed};
use crate::identity::Identity;
use crate::limits::HANDSHAKE_TIMEOUT;

/// Dials with one identity to the servers that are one peer's.
pub(crate) struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Dials whoever has this TLS key. `alpn` is one protocol, `h2` or `http/1.1`.
    ///
    /// # Errors
    /// `TLS_FAILED` where the identity's key does not fit its certificate.
    pub(crate) fn new(identity: &Identity, pin: KeyId, alpn: &[u8]) -> Result<Self, Problem> {
        Self::expecting(identity, Expected::Key(pin), alpn)
    }

    /// Dials whoever is expected.
    ///
    /// # Errors
    /// As [`ClientTls::new`].
    pub(crate) fn expecting(
        identity: &Identity,
        expected: Expected,
        alpn: &[u8],
    ) -> Result<Self, Problem> {
        let provider = provider();
        let chain = vec![CertificateDer::from(identity.certificate.der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(identity.tls.to_pkcs8_der().to_vec());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| setup_failed(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinnedServer {
                expected,
                possession: Possession(provider),
            }))
            .with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key))
            .map_err(|error| setup_failed(&error))?;
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Shakes hands. On success the pin matched; before that nothing but the hello was sent.
    ///
    /// # Errors
    /// `PIN_MISMATCH`, `NOT_TLS`, `TLS_FAILED` or `CONNECT_TIMEOUT`.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Handshake), Problem> {
        // The name is not sent (no SNI) and not checked; the pin is.
        let name = ServerName::from(std::net::IpAddr::from(std::net::Ipv4Addr::LOCALHOST));
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected =
            tokio::time::timeout(HANDSHAKE_TIMEOUT, connector.connect(name, stream)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(explain(&error)),
            Err(_) => {
                return Err(
                    Problem::new(Code::TlsFailed).because("The handshake got no answer in time.")
                );
            }
        };
        let handshake = Handshake::of(stream.get_ref().1)?;
        Ok((stream, handshake))
    }
}

/// Keeps the reason of a refusal: rustls's error is inside the I/O error.
fn explain(error: &std::io::Error) -> Problem {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            Problem::new(Code::PinMismatch)
        }
        Some(Error::InvalidMessage(_)) => Problem::new(Code::NotTls),
        Some(Error::AlertReceived(AlertDescription::ProtocolVersion)) => {
            Problem::new(Code::TlsFailed).because("The other side does not speak TLS 1.3.")
        }
        Some(other) => Problem::new(Code::TlsFailed).because(format!("{other}.")),
        None => Problem::new(Code::TlsFailed).because(format!("{error}.")),
    }
}
