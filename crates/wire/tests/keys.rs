//! Keys, certificates and fingerprints: text forms, and forms that must be refused.

#![allow(clippy::unwrap_used)]

use tieline_wire::certificate::{Certificate, CertificateError, self_signed};
use tieline_wire::fingerprint::{Fingerprint, FingerprintError};
use tieline_wire::key::{KeyError, KeyId, Signature, SigningKey, VerifyKey};

/// The eight points of small order, canonical, as RFC 8032 encodes them.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let value = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
    std::array::from_fn(value)
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

#[test]
fn keys_of_small_order_are_refused() {
    for hex in SMALL_ORDER {
        assert_eq!(
            VerifyKey::from_bytes(&bytes(hex)),
            Err(KeyError::Weak),
            "{hex}"
        );
    }
}

#[test]
fn other_encodings_of_the_same_points_are_refused() {
    // y = p + n for every n that fits, with both signs of x, and the two encodings with x = -0.
    for lowest in 0xed..=0xff_u8 {
        for highest in [0x7f, 0xff] {
            let mut encoding = [0xff; 32];
            (encoding[0], encoding[31]) = (lowest, highest);
            assert_eq!(
                VerifyKey::from_bytes(&encoding),
                Err(KeyError::Invalid),
                "{lowest:x} {highest:x}"
            );
        }
    }
    for y in [bytes::<32>(SMALL_ORDER[0]), bytes::<32>(SMALL_ORDER[1])] {
        let mut negative_zero = y;
        negative_zero[31] |= 0x80;
        assert!(
            VerifyKey::from_bytes(&negative_zero).is_err(),
            "{negative_zero:x?}"
        );
    }
    let mut highest_canonical = [0xff; 32];
    (highest_canonical[0], highest_canonical[31]) = (0xec, 0x7f);
    assert_eq!(
        VerifyKey::from_bytes(&highest_canonical),
        Err(KeyError::Weak),
        "it is a real point, of order 2"
    );
}

#[test]
fn bytes_that_are_no_point_are_refused() {
    let mut not_on_curve = [0; 32];
    not_on_curve[0] = 2;
    assert_eq!(VerifyKey::from_bytes(&not_on_curve), Err(KeyError::Invalid));
}

#[test]
fn a_signature_with_an_unreduced_scalar_is_refused() {
    // S + L verifies in careless implementations (RFC 8032, 5.1.7).
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let good = key().sign(b"message");
    key().verify_key().verify(b"message", &good).unwrap();
    let mut other = good;
    let mut carry = 0;
    for (byte, l) in other.0[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert!(key().verify_key().verify(b"message", &other).is_err());
}

#[test]
fn signatures_cover_every_bit() {
    let (public, good) = (key().verify_key(), key().sign(b"message"));
    for at in 0..64 {
        let mut bad = good;
        bad.0[at] ^= 1;
        assert!(public.verify(b"message", &bad).is_err(), "byte {at}");
    }
    assert!(public.verify(b"messagE", &good).is_err());
    assert!(
        SigningKey::from_seed(&[8; 32])
            .verify_key()
            .verify(b"message", &good)
            .is_err()
    );
    assert!(public.verify(b"message", &Signature([0; 64])).is_err());
}

#[test]
fn public_keys_are_read_in_every_usual_form() {
    let public = key().verify_key();
    let base64 = public.to_base64();
    assert_eq!(base64.len(), 60);
    let spellings = [
        base64.clone(),
        base64.replace('+', "-").replace('/', "_"),
        base64.trim_end_matches('=').to_owned(),
        format!("  {}\r\n{} ", &base64[..30], &base64[30..]),
        public.to_pem(),
        public.to_pem().replace('\n', "\r\n"),
    ];
    for text in spellings {
        assert_eq!(VerifyKey::parse(&text), Ok(public), "{text:?}");
    }
    let json = serde_json::to_string(&public).unwrap();
    assert_eq!(json, format!("\"{base64}\""));
    assert_eq!(serde_json::from_str::<VerifyKey>(&json).unwrap(), public);
}

#[test]
fn a_wrong_paste_is_told_what_it_is() {
    let secret = key();
    let (base64, pem) = (secret.to_base64(), secret.to_pem());
    let cases = [
        (base64.as_str(), KeyError::Private),
        (pem.as_str(), KeyError::Private),
        (
            "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
            KeyError::Raw,
        ),
        ("not a key!", KeyError::NotText),
        ("", KeyError::NotEd25519),
        ("-----BEGIN PUBLIC KEY-----\nMCow", KeyError::NotText),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            KeyError::NotEd25519,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(VerifyKey::parse(text), Err(expected), "{text:?}");
    }
    let public = secret.verify_key();
    assert_eq!(
        SigningKey::parse(&public.to_base64()).unwrap_err(),
        KeyError::Public
    );
    assert_eq!(
        SigningKey::parse(&public.to_pem()).unwrap_err(),
        KeyError::Public
    );
    let mut long = public.to_spki_der().to_vec();
    long.push(0);
    assert_eq!(VerifyKey::from_spki_der(&long), Err(KeyError::NotEd25519));
}

#[test]
fn private_keys_are_written_as_version_1_and_read_as_both() {
    let secret = key();
    assert_eq!(secret.to_pkcs8_der().len(), 48);
    assert_eq!(secret.to_base64().len(), 64);
    for text in [&*secret.to_base64(), &*secret.to_pem()] {
        assert_eq!(SigningKey::parse(text).unwrap().to_seed(), secret.to_seed());
    }
    // Version 2 (RFC 5958): version 1 in the integer, the public key as [1].
    let mut v2 = vec![
        0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    v2.extend_from_slice(&*secret.to_seed());
    v2.extend_from_slice(&[0x81, 0x21, 0x00]);
    v2.extend_from_slice(secret.verify_key().as_bytes());
    assert_eq!(
        SigningKey::from_pkcs8_der(&v2).unwrap().to_seed(),
        secret.to_seed()
    );
    assert_eq!(VerifyKey::from_spki_der(&v2), Err(KeyError::Private));
    // The public half of another key beside the secret.
    let at = v2.len() - 32;
    v2[at..].copy_from_slice(SigningKey::from_seed(&[8; 32]).verify_key().as_bytes());
    assert!(SigningKey::from_pkcs8_der(&v2).is_err());
}

#[test]
fn secrets_stay_out_of_debug() {
    let shown = format!("{:?}", key());
    assert!(shown.contains(&key().key_id().to_string()), "{shown}");
    for secret in [&*key().to_base64(), "7, 7", "0707", "BwcH"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn key_ids_have_43_characters_and_one_spelling() {
    let id = key().key_id();
    let text = id.to_string();
    assert_eq!(text.len(), 43);
    assert_eq!(text.parse(), Ok(id));
    for bad in [
        format!("{text}="),
        text[..42].to_owned(),
        format!("{}+", &text[..42]),
        String::new(),
    ] {
        assert!(bad.parse::<KeyId>().is_err(), "{bad}");
    }
}

#[test]
fn a_certificate_is_the_same_bytes_each_time_and_holds_the_key() {
    let first = self_signed(&key(), "wsl-box").unwrap();
    assert_eq!(first.der(), self_signed(&key(), "wsl-box").unwrap().der());
    assert_ne!(first.der(), self_signed(&key(), "mac").unwrap().der());
    assert_ne!(
        first.der(),
        self_signed(&SigningKey::from_seed(&[8; 32]), "wsl-box")
            .unwrap()
            .der()
    );
    assert_eq!(first.verify_key(), key().verify_key());
    assert_eq!(first.pin(), key().key_id());
    assert_eq!(Certificate::from_pem(&first.to_pem()).unwrap(), first);
    assert_eq!(Certificate::from_der(first.der()).unwrap(), first);
}

#[test]
fn a_certificate_is_x509_version_3_signed_by_its_own_key() {
    let certificate = self_signed(&key(), "wsl box/ü").unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).unwrap();
    assert_eq!(parsed.version(), x509_parser::x509::X509Version::V3);
    assert_eq!(parsed.subject().to_string(), "CN=wsl_box__");
    assert_eq!(parsed.subject(), parsed.issuer());
    assert!(!parsed.is_ca());
    assert!(
        parsed.raw_serial()[0] < 0x80 && parsed.raw_serial()[0] > 0,
        "a positive serial without padding"
    );
    let signature = Signature(parsed.signature_value.data.as_ref().try_into().unwrap());
    key()
        .verify_key()
        .verify(parsed.tbs_certificate.as_ref(), &signature)
        .unwrap();
}

#[test]
fn names_that_fit_no_certificate_are_replaced() {
    for name in [
        "",
        "   ",
        "\u{202e}evil",
        &"x".repeat(1000),
        "a\0b",
        "*.example.com",
        "127.0.0.1",
    ] {
        self_signed(&key(), name).unwrap();
    }
}

#[test]
fn damaged_foreign_and_doubled_certificates_are_refused() {
    let good = self_signed(&key(), "x").unwrap();
    let mut trailing = good.der().to_vec();
    trailing.push(0);
    assert_eq!(
        Certificate::from_der(&trailing),
        Err(CertificateError::Malformed)
    );
    for end in 0..good.der().len() {
        assert!(
            Certificate::from_der(&good.der()[..end]).is_err(),
            "cut at {end}"
        );
    }
    assert_eq!(
        Certificate::from_der(&vec![0x30; 20_000]),
        Err(CertificateError::Malformed)
    );
    assert_eq!(
        Certificate::from_pem("hello"),
        Err(CertificateError::NotPem)
    );
    assert_eq!(
        Certificate::from_pem(&key().verify_key().to_pem()),
        Err(CertificateError::NotPem)
    );

    let p256 = rcgen::KeyPair::generate().unwrap();
    let foreign = rcgen::CertificateParams::new(vec!["x".to_owned()])
        .unwrap()
        .self_signed(&p256)
        .unwrap();
    assert_eq!(
        Certificate::from_der(foreign.der()),
        Err(CertificateError::NotEd25519)
    );
}

#[test]
fn a_certificate_with_a_weak_key_is_refused() {
    let good = self_signed(&key(), "x").unwrap();
    let public = *key().verify_key().as_bytes();
    let at = good
        .der()
        .windows(32)
        .position(|window| window == public)
        .unwrap();
    let mut weak = good.der().to_vec();
    weak[at..at + 32].copy_from_slice(&bytes::<32>(SMALL_ORDER[0]));
    assert_eq!(
        Certificate::from_der(&weak),
        Err(CertificateError::Key(KeyError::Weak))
    );
}

#[test]
fn fingerprints_are_read_in_every_usual_spelling() {
    let print = Fingerprint(std::array::from_fn(|i| (i * 7 + 200) as u8));
    let bare = print.bare();
    let hex = bare.replace(':', "");
    let base64 = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(print.0)
    };
    let groups = print.groups();
    let grid = groups
        .chunks(4)
        .map(|row| row.join(" "))
        .collect::<Vec<_>>()
        .join("\n");
    let spellings = [
        print.to_string(),
        print.to_string().to_lowercase(),
        bare.clone(),
        bare.to_lowercase(),
        hex.clone(),
        hex.to_lowercase(),
        bare.replace(':', " "),
        bare.replace(':', "-"),
        format!("\"{print}\""),
        format!("  {bare}\n"),
        format!("sha256 Fingerprint={bare}"),
        format!("SHA256 Fingerprint={bare}"),
        format!("SHA-256: {bare}"),
        format!("SHA256:{base64}"),
        grid,
        print.words().join(" "),
        print.words().join("\n").to_uppercase(),
    ];
    for text in spellings {
        assert_eq!(Fingerprint::parse(&text), Ok(print), "{text:?}");
    }
}

#[test]
fn what_is_no_certificate_fingerprint_is_told_apart() {
    let print = Fingerprint([0xab; 32]);
    let bare = print.bare();
    let mut words = print.words();
    words.swap(0, 23);
    let cases = [
        (
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            FingerprintError::OtherHash,
        ),
        (
            "d41d8cd98f00b204e9800998ecf8427e",
            FingerprintError::OtherHash,
        ),
        (&bare[..bare.len() - 3], FingerprintError::Length(62)),
        (
            "sha256//q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
            FingerprintError::KeyHash,
        ),
        (&words.join(" "), FingerprintError::Words),
        ("", FingerprintError::Unreadable),
        ("hello", FingerprintError::Unreadable),
        ("SHA256:", FingerprintError::Unreadable),
        ("zz:zz", FingerprintError::Unreadable),
    ];
    for (text, expected) in cases {
        assert_eq!(Fingerprint::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn the_words_are_those_of_bip39() {
    for seed in 0..=255_u8 {
        let print = Fingerprint(std::array::from_fn(|i| {
            (usize::from(seed) * 31 + i * 17) as u8
        }));
        let reference = bip39::Mnemonic::from_entropy(&print.0).unwrap();
        assert!(reference.words().eq(print.words()), "{print}");
    }
}

#[test]
fn the_first_differing_group_is_named() {
    let print = Fingerprint([0; 32]);
    assert_eq!(print.first_difference(&print), None);
    for byte in 0..32 {
        let mut other = print;
        other.0[byte] = 1;
        other.0[31] |= 2;
        assert_eq!(print.first_difference(&other), Some(byte / 2));
        assert_ne!(print.groups()[byte / 2], other.groups()[byte / 2]);
    }
}
