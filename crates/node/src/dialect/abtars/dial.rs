//! A connection to an abTARS machine, pinned to the key or the certificate in its entry.
//!
//! The check is part of the handshake: a machine that shows anything else gets no byte of a
//! request. Names, chains and dates of certificates are not looked at.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error,
    PeerIncompatible, SignatureScheme,
};
use subtle::ConstantTimeEq;
use tieline_wire::abtars::Generation;
use tieline_wire::address::Address;
use tieline_wire::certificate::Certificate;
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::key::VerifyKey;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::contact::Contact;
use crate::clock::Instant;
use crate::limits::{CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT};

/// What a machine has to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pins {
    /// The key in its certificate.
    key: Option<VerifyKey>,
    /// Its whole certificate; not for a peer that is known to speak the current generation.
    certificate: Option<Fingerprint>,
}

/// Which of the two it showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The key, which current releases are known by.
    Key,
    /// The certificate alone: no current release would start with it.
    Certificate,
}

/// A pinned connection.
pub(super) struct Dialled {
    pub stream: TlsStream<TcpStream>,
    pub shown: Shown,
    pub connect: Duration,
    pub tls: Duration,
}

/// Why there is none, and the time it took to connect, where that worked.
pub(super) struct DialError {
    pub problem: Problem,
    pub connect: Option<Duration>,
}

impl Pins {
    /// What this peer has to show.
    ///
    /// # Errors
    /// `PIN_MISMATCH` where its entry has nothing to hold it to.
    pub(super) fn of(contact: &Contact) -> Result<Self, Problem> {
        let weaker = contact.learned.generation != Some(Generation::Current);
        let pins = Self {
            key: contact.entry.verify_key,
            certificate: contact.entry.fingerprint.filter(|_| weaker),
        };
        if pins.key.is_none() && pins.certificate.is_none() {
            return Err(Problem::new(Code::PinMismatch)
                .summary("There is nothing to tell this machine by.")
                .because("Its entry has neither a verifyKey nor a certificate. Nothing was sent.")
                .remedy("Add the machine again with its verifyKey."));
        }
        Ok(pins)
    }

    fn matches(&self, der: &[u8]) -> Option<Shown> {
        let shown = Certificate::from_der(der).ok().map(|it| it.verify_key());
        let same_key = self
            .key
            .zip(shown)
            .is_some_and(|(pinned, shown)| pinned.to_spki_der().ct_eq(&shown.to_spki_der()).into());
        if same_key {
            return Some(Shown::Key);
        }
        let pinned = self.certificate?;
        let same: bool = pinned.0.ct_eq(&Fingerprint::of(der).0).into();
        same.then_some(Shown::Certificate)
    }
}

/// Connects and shakes hands.
///
/// # Errors
/// Why that failed; nothing but the hello was sent.
pub(super) async fn dial(address: &Address, pins: Pins) -> Result<Dialled, DialError> {
    let started = Instant::now();
    let early = |problem: Problem| DialError {
        problem: problem.with("address", address.to_string()),
        connect: None,
    };
    let stream = connect(address).await.map_err(early)?;
    let _ = stream.set_nodelay(true);
    let connect = started.elapsed();
    let late = |problem: Problem| DialError {
        problem: problem.with("address", address.to_string()),
        connect: Some(connect),
    };
    let shaking = Instant::now();
    let connector = TlsConnector::from(Arc::new(config(pins).map_err(late)?));
    // The name is not sent (no SNI) and not checked; the pin is.
    let name = ServerName::from(std::net::IpAddr::from(std::net::Ipv4Addr::LOCALHOST));
    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, connector.connect(name, stream)).await;
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(late(explain(&error))),
        Err(_) => {
            return Err(late(
                Problem::new(Code::TlsFailed).because("The handshake got no answer in time."),
            ));
        }
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let leaf = certificates.and_then(<[_]>::first);
    let shown = leaf
        .and_then(|leaf| pins.matches(leaf))
        .ok_or_else(|| late(Problem::new(Code::PinMismatch)))?;
    Ok(Dialled {
        stream,
        shown,
        connect,
        tls: shaking.elapsed(),
    })
}

async fn connect(address: &Address) -> Result<TcpStream, Problem> {
    let connecting = TcpStream::connect((address.host(), address.port()));
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            Err(Problem::new(Code::ConnectRefused)
                .because("No program listens on this port there; abTARS needs its agent API switched on (`--agent`, or ENABLE_AGENT_API=true).")
                .remedy("Start abTARS there with its agent API, and compare the port: 7100, or 3100 before 2026-06-25."))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => {
            Err(Problem::new(Code::ConnectTimeout))
        }
        Ok(Err(error)) => Err(Problem::new(Code::Unreachable).because(format!("{error}."))),
        Err(_) => Err(Problem::new(Code::ConnectTimeout)),
    }
}

fn config(pins: Pins) -> Result<ClientConfig, Problem> {
    let provider = crate::tls::provider();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| crate::tls::setup_failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { pins, provider }))
        // Neither generation looks at client certificates.
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.enable_sni = false;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn explain(error: &std::io::Error) -> Problem {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)) => {
            Problem::new(Code::PinMismatch)
                .because("Its certificate holds another key than the verifyKey in its entry, or is another than the one pinned. Nothing was sent.")
                .remedy("Compare the verifyKey with what `abtars tribe status` prints there. If it was set up anew, import its entry again.")
        }
        Some(Error::InvalidMessage(_)) => Problem::new(Code::NotTls),
        Some(Error::AlertReceived(AlertDescription::ProtocolVersion)) => {
            Problem::new(Code::TlsFailed).because("The other side does not speak TLS 1.3.")
        }
        Some(other) => Problem::new(Code::TlsFailed).because(format!("{other}.")),
        None => Problem::new(Code::TlsFailed).because(format!("{error}.")),
    }
}

/// Accepts what the pins match, and checks that the other side has its key.
#[derive(Debug)]
struct Pinned {
    pins: Pins,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.pins.matches(end_entity) {
            Some(_) => Ok(ServerCertVerified::assertion()),
            None => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // A legacy machine's certificate may hold any key.
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tieline_wire::certificate::self_signed;
    use tieline_wire::key::SigningKey;

    use super::*;

    #[test]
    fn the_key_counts_before_the_certificate_and_another_machine_for_nothing() {
        let key = SigningKey::generate();
        let certificate = self_signed(&key, "one").unwrap();
        let renewed = self_signed(&key, "two").unwrap();
        let other = self_signed(&SigningKey::generate(), "one").unwrap();
        let both = Pins {
            key: Some(key.verify_key()),
            certificate: Some(certificate.fingerprint()),
        };
        assert_eq!(both.matches(certificate.der()), Some(Shown::Key));
        assert_eq!(both.matches(renewed.der()), Some(Shown::Key));
        assert_eq!(both.matches(other.der()), None);
        let legacy = Pins { key: None, ..both };
        assert_eq!(legacy.matches(certificate.der()), Some(Shown::Certificate));
        assert_eq!(legacy.matches(renewed.der()), None);
        assert_eq!(both.matches(b"no certificate"), None);
    }
}
