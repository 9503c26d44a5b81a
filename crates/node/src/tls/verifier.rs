//! Certificate verifiers that check possession of a key and nothing that a stranger could forge.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    SignatureScheme,
};
use subtle::ConstantTimeEq;
use tieline_wire::certificate::Certificate;
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::key::KeyId;

/// By what the one right server is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// Its TLS key.
    Key(KeyId),
    /// Its whole certificate, where a person brought nothing but the fingerprint.
    Certificate(Fingerprint),
}

impl Expected {
    fn is_shown_by(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Key(pin) => certificate.pin().as_bytes().ct_eq(pin.as_bytes()).into(),
            Self::Certificate(fingerprint) => {
                certificate.fingerprint().0.ct_eq(&fingerprint.0).into()
            }
        }
    }
}

/// Accepts the one server that is expected.
#[derive(Debug)]
pub(super) struct PinnedServer {
    pub(super) expected: Expected,
    pub(super) possession: Possession,
}

/// Accepts a client that shows any Ed25519 certificate and proves that it has the key, and one
/// that shows none. Who it is, and what it may do, is decided per request.
#[derive(Debug)]
pub(super) struct AnyClient {
    pub(super) possession: Possession,
}

/// Checks that the other side has the key of the certificate it shows. Of both verifiers, whose
/// traits name the same methods each for itself.
#[derive(Debug)]
pub(super) struct Possession(pub(super) Arc<CryptoProvider>);

impl Possession {
    fn check(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }
}

/// The part that both traits have in common.
macro_rules! signatures_of_tls13 {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _certificate: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.possession.check(message, certificate, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }
    };
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ed25519_certificate(end_entity)?;
        if self.expected.is_shown_by(&certificate) {
            Ok(ServerCertVerified::assertion())
        } else {
            // The handshake ends here, before this side has sent anything but its hello.
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    signatures_of_tls13!();
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        ed25519_certificate(end_entity).map(|_| ClientCertVerified::assertion())
    }

    signatures_of_tls13!();
}

fn ed25519_certificate(der: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(der.as_ref())
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}
