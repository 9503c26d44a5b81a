//! The listening side.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use tieline_wire::problem::Problem;

use super::verifier::{AnyClient, Possession};
use super::{provider, setup_failed};
use crate::identity::Identity;

/// TLS for the peer listener: TLS 1.3 only, no tickets, client certificates asked for.
///
/// # Errors
/// `TLS_FAILED` where the identity's key does not fit its certificate.
pub(crate) fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, Problem> {
    let provider = provider();
    let chain = vec![CertificateDer::from(identity.certificate.der().to_vec())];
    let key = PrivatePkcs8KeyDer::from(identity.tls.to_pkcs8_der().to_vec());
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| setup_failed(&error))?
        .with_client_cert_verifier(Arc::new(AnyClient {
            possession: Possession(provider),
        }))
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key))
        .map_err(|error| setup_failed(&error))?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
