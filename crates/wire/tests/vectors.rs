//! The shared vectors, made by the real programs of other systems.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tieline_wire::certificate::Certificate;
use tieline_wire::key::{SigningKey, VerifyKey};
use tieline_wire::kithkit::{self, LanMessage, SendRequest};
use tieline_wire::message::MessageId;

const KITHKIT: &str = include_str!("../../../tests/vectors/kithkit-vectors.json");
const KITHKIT_SEND: &str = include_str!("../../../tests/vectors/kithkit-send-cases.json");
const ABTARS: &str = include_str!("../../../tests/vectors/abtars-vectors.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_key(seed: &str, private: &str, public: &str, raw: &str) {
    let seed: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&seed[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let key = SigningKey::from_seed(&seed.try_into().unwrap());
    assert_eq!(key.to_base64().as_str(), private);
    assert_eq!(key.verify_key().to_base64(), public);
    assert_eq!(hex(key.verify_key().as_bytes()), raw);
    assert_eq!(SigningKey::parse(private).unwrap().to_seed(), key.to_seed());
    assert_eq!(VerifyKey::parse(public), Ok(key.verify_key()));
}

#[test]
fn kithkit_keys() {
    let vectors = json(KITHKIT);
    let keys = vectors["keys"].as_object().unwrap();
    assert_eq!(keys.len(), 4);
    for key in keys.values() {
        let field = |name: &str| key[name].as_str().unwrap();
        check_key(
            field("seedHex"),
            field("privateKeyPkcs8Base64"),
            field("publicKeySpkiBase64"),
            field("publicKeyRawHex"),
        );
    }
}

#[test]
fn abtars_keys() {
    let vectors = json(ABTARS);
    let named = vectors["current"]["keys"]
        .as_object()
        .unwrap()
        .values()
        .filter(|key| key.is_object());
    let mut seen = 0;
    for key in named {
        let field = |name: &str| key[name].as_str().unwrap();
        check_key(
            field("seed_hex"),
            field("signingKey_pkcs8_b64"),
            field("verifyKey_spki_b64"),
            field("public_raw_hex"),
        );
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn abtars_certificates_and_their_pins() {
    let vectors = json(ABTARS);
    let pins = &vectors["current"]["tls_pin"];
    for name in ["alpha", "beta"] {
        let certificate =
            Certificate::from_pem(pins[format!("{name}_cert_pem")].as_str().unwrap()).unwrap();
        assert_eq!(
            certificate.fingerprint().bare(),
            pins[format!("{name}_fingerprint256")].as_str().unwrap()
        );
        let key = vectors["current"]["keys"][name]["verifyKey_spki_b64"]
            .as_str()
            .unwrap();
        assert_eq!(certificate.verify_key().to_base64(), key);
        assert_eq!(certificate.pin(), certificate.verify_key().key_id());
    }
}

#[test]
fn abtars_request_signatures() {
    let vectors = json(ABTARS);
    let alpha = vectors["current"]["keys"]["alpha"]["signingKey_pkcs8_b64"]
        .as_str()
        .unwrap();
    let alpha = SigningKey::parse(alpha).unwrap();
    let mut checked = 0;
    for request in vectors["current"]["http_request"].as_array().unwrap() {
        if request["headers"]["X-Peer-Id"] != "alpha" {
            continue;
        }
        let (Some(canonical), Some(signature)) = (
            request["canonical"].as_str(),
            request["headers"]["X-Peer-Sig"].as_str(),
        ) else {
            continue;
        };
        if alpha
            .verify_key()
            .verify(canonical.as_bytes(), &signature.parse().unwrap())
            .is_ok()
        {
            assert_eq!(alpha.sign(canonical.as_bytes()).to_string(), signature);
            checked += 1;
        }
    }
    assert!(checked >= 2, "only {checked}");
}

#[test]
fn kithkit_lan_signatures() {
    let vectors = json(KITHKIT);
    let cases = vectors["lanHmac"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let field = |name: &str| case[name].as_str().unwrap();
        let (secret, body) = (field("secret").as_bytes(), field("bodyUtf8").as_bytes());
        assert_eq!(kithkit::sign(secret, body), field("valueHex"));
        assert!(kithkit::check(secret, body, field("valueHex")));
    }
}

#[test]
fn kithkit_lan_bodies_are_rebuilt_byte_for_byte() {
    let vectors = json(KITHKIT);
    let bodies = vectors["lanHmac"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["bodyUtf8"].as_str().unwrap());
    let mut rebuilt = 0;
    for body in bodies.filter(|body| !body.is_empty()) {
        let read = LanMessage::parse(body.as_bytes()).unwrap();
        let id = MessageId::new(&read.message_id).unwrap();
        let again = kithkit::lan_body(
            &read.from,
            &read.payload,
            &id,
            read.timestamp.parse().unwrap(),
        );
        assert_eq!(std::str::from_utf8(&again).unwrap(), body);
        rebuilt += 1;
    }
    assert_eq!(rebuilt, 2);
}

#[test]
fn kithkit_qualified_names() {
    let vectors = json(KITHKIT);
    let cases = vectors["qualifiedNames"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (name, host) = kithkit::split_qualified(case["input"].as_str().unwrap());
        assert_eq!(
            (Some(name), host),
            (case["username"].as_str(), case["hostname"].as_str()),
            "{case}"
        );
    }
}

#[test]
fn kithkit_send_requests_are_refused_with_the_documented_code() {
    // The cases that a pure function can decide: the validation ones.
    let cases = json(KITHKIT_SEND);
    let mut checked = 0;
    for case in cases["cases"].as_array().unwrap() {
        let (id, code) = (
            case["id"].as_str().unwrap(),
            &case["expect"]["json"]["code"],
        );
        if !id.starts_with('V')
            || case["method"] != "POST"
            || case["path"] != "/api/a2a/send"
            || code.is_null()
        {
            continue;
        }
        let body = match (&case["raw"], &case["body"]) {
            (Value::String(raw), _) => raw.clone(),
            (_, body) => body.to_string(),
        };
        let refusal = SendRequest::parse(body.as_bytes()).unwrap_err();
        let allowed = match &code["$oneOf"] {
            Value::Array(codes) => codes.clone(),
            _ => vec![code.clone()],
        };
        assert!(
            allowed.contains(&Value::from(refusal.code.as_str())),
            "{id}: {refusal:?}"
        );
        assert_eq!(case["expect"]["status"], refusal.code.status(), "{id}");
        checked += 1;
    }
    assert!(checked >= 17, "only {checked}");
}
