//! Certificates, as DER and as PEM.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_wire::certificate::Certificate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.der(), bytes);
        assert_eq!(
            Certificate::from_pem(&certificate.to_pem()),
            Ok(certificate)
        );
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Certificate::from_pem(text);
    }
});
