//! `peers.json`: read as it is found, rewritten without losing anything, told field by field.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tieline_wire::abtars::SharedToken;
use tieline_wire::abtars::peers_json::{
    EntryValues, Field, Live, PeerEntry, PeersFile, PeersFileError, Remark, parse_pasted,
};
use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::key::SigningKey;
use tieline_wire::problem::{Code, Problem};

fn key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn certificate() -> Certificate {
    self_signed(&key(), "peer-b").unwrap()
}

fn entry(fields: &Value) -> PeerEntry {
    let file = json!({ "peers": { "peer-b": fields } }).to_string();
    PeersFile::parse(&file).unwrap().peer("peer-b").unwrap()
}

/// The documented entry, complete and consistent.
fn documented() -> Value {
    json!({
        "host": "192.168.1.7",
        "port": 3100,
        "token": "correct horse battery staple",
        "verifyKey": key().verify_key().to_base64(),
        "certFingerprint": certificate().fingerprint().bare(),
        "certPem": certificate().to_pem(),
    })
}

fn without(name: &str) -> Value {
    let mut fields = documented();
    fields.as_object_mut().unwrap().shift_remove(name);
    fields
}

fn with(name: &str, value: Value) -> Value {
    let mut fields = documented();
    fields[name] = value;
    fields
}

fn live(entry: &PeerEntry, field: Field) -> Live {
    let mut uses = entry.fields.iter();
    uses.find(|found| found.field == Some(field)).unwrap().live
}

#[test]
fn the_documented_entry_serves_both_generations() {
    let entry = entry(&documented());
    assert_eq!(entry.host.as_deref(), Some("192.168.1.7"));
    assert_eq!(entry.port, Some(3100));
    assert!(
        entry
            .token
            .as_ref()
            .unwrap()
            .is("correct horse battery staple")
    );
    assert_eq!(entry.verify_key, Some(key().verify_key()));
    assert_eq!(entry.certificate, Some(certificate()));
    assert_eq!(entry.fingerprint, Some(certificate().fingerprint()));
    assert_eq!(entry.remarks, []);
    assert_eq!(entry.usable(), Live::Both);
    let uses: Vec<_> = entry
        .fields
        .iter()
        .map(|u| (u.key.as_str(), u.live))
        .collect();
    assert_eq!(
        uses,
        [
            ("host", Live::Both),
            ("port", Live::Both),
            ("token", Live::Legacy),
            ("verifyKey", Live::Both),
            ("certFingerprint", Live::Legacy),
            ("certPem", Live::Legacy),
        ]
    );
}

#[test]
fn every_spelling_of_a_fingerprint_is_the_same_fingerprint() {
    let fingerprint = certificate().fingerprint();
    let bare = fingerprint.bare();
    for spelling in [
        bare.clone(),
        format!("SHA256:{bare}"),
        format!("sha256:{}", bare.to_lowercase()),
        bare.replace(':', ""),
        bare.replace(':', "").to_lowercase(),
        format!("sha256 Fingerprint={bare}"),
        format!("  {bare}\n"),
        fingerprint.words().join(" "),
    ] {
        let entry = entry(&with("certFingerprint", spelling.clone().into()));
        assert_eq!(entry.fingerprint, Some(fingerprint), "{spelling}");
        let legacy_takes_it = spelling.trim() == bare;
        assert_eq!(
            entry.remarks.contains(&Remark::FingerprintSpelling),
            !legacy_takes_it,
            "{spelling}"
        );
        assert_eq!(
            live(&entry, Field::CertFingerprint) == Live::Legacy,
            legacy_takes_it,
            "{spelling}"
        );
        assert_eq!(entry.usable(), Live::Both);
    }
}

#[test]
fn what_is_missing_decides_for_whom_the_entry_is_good() {
    for (name, usable, remark) in [
        ("host", Live::Neither, Remark::HostMissing),
        ("port", Live::Neither, Remark::PortMissing),
        ("token", Live::Current, Remark::TokenMissing),
        ("verifyKey", Live::Legacy, Remark::KeyMissing),
        ("certPem", Live::Both, Remark::FingerprintAlone),
    ] {
        let entry = entry(&without(name));
        assert_eq!(entry.usable(), usable, "{name}");
        assert_eq!(entry.remarks, [remark], "{name}");
    }
    let pem_alone = entry(&without("certFingerprint"));
    assert_eq!(pem_alone.remarks, []);
    assert_eq!(pem_alone.fingerprint, Some(certificate().fingerprint()));
}

#[test]
fn odd_values_are_read_as_far_as_they_go_and_remarked() {
    let other = self_signed(&SigningKey::from_seed(&[2; 32]), "other").unwrap();
    let mismatch = entry(&with("certFingerprint", other.fingerprint().bare().into()));
    assert_eq!(mismatch.remarks, [Remark::FingerprintMismatch]);
    assert_eq!(
        (mismatch.fingerprint, mismatch.usable()),
        (None, Live::Current)
    );
    assert_eq!(live(&mismatch, Field::CertPem), Live::Neither);

    let mut separate = with("certPem", other.to_pem().into());
    separate["certFingerprint"] = other.fingerprint().bare().into();
    assert_eq!(entry(&separate).remarks, [Remark::KeyNotOfCertificate]);

    let text = entry(&with("port", "7100".into()));
    assert_eq!(
        (text.port, text.remarks.as_slice()),
        (Some(7100), &[Remark::PortIsText][..])
    );
    assert_eq!(live(&text, Field::Port), Live::Neither);
    for (port, remark) in [
        (json!(0), Remark::PortZero),
        (json!(70000), Remark::PortMissing),
        (json!(-1), Remark::PortMissing),
        (json!(3100.5), Remark::PortMissing),
        (Value::Null, Remark::PortMissing),
    ] {
        let odd = entry(&with("port", port.clone()));
        assert_eq!(
            (odd.port, odd.remarks.as_slice()),
            (None, &[remark][..]),
            "{port}"
        );
    }
    assert_eq!(entry(&with("port", json!(3100.0))).port, Some(3100));

    let raw = with(
        "verifyKey",
        "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=".into(),
    );
    assert!(matches!(entry(&raw).remarks[..], [Remark::Key(_)]));
    assert!(matches!(
        entry(&with("certPem", "-----".into())).remarks[..],
        [Remark::Certificate(_), ..]
    ));
    assert_eq!(entry(&json!("text")).remarks, [Remark::NotAnObject]);
}

#[test]
fn the_rest_of_the_fields_is_read() {
    let mut fields = documented();
    for (name, value) in [
        ("trust", json!(2)),
        ("mode", json!("signed")),
        ("transport", json!("ws-outbound")),
        ("allowedTools", json!(["bash"])),
        ("comment", json!("the one upstairs")),
    ] {
        fields[name] = value;
    }
    let entry = entry(&fields);
    assert_eq!(
        (entry.trust, entry.signed_only, entry.holds_connection),
        (2, true, true)
    );
    assert_eq!(live(&entry, Field::Transport), Live::Current);
    assert_eq!(live(&entry, Field::AllowedTools), Live::Neither);
    let unknown = entry.fields.last().unwrap();
    assert_eq!(
        (unknown.key.as_str(), unknown.field, unknown.live),
        ("comment", None, Live::Neither)
    );
}

#[test]
fn a_mistake_is_told_with_its_place_and_without_contents() {
    let text = "{\n  \"self\": {\"signingKey\": \"hunter2\"},\n  \"peers\": {\n    \"b\": {\"token\": \"hunter2\" \"x\": 1}\n  }\n}\n";
    let error = PeersFile::parse(text).unwrap_err();
    let PeersFileError::Syntax { line, column, .. } = &error else {
        unreachable!("{error:?}")
    };
    assert_eq!((*line, *column), (4, 30));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::ConfigInvalid);
    assert_eq!(problem.detail.as_ref().unwrap()["line"], 4);

    for (text, shape) in [
        ("[]", "the file"),
        ("{\"self\": []}", "\"self\""),
        ("{\"peers\": null}", "\"peers\""),
    ] {
        assert_eq!(PeersFile::parse(text), Err(PeersFileError::Shape(shape)));
    }
    let deep = "[".repeat(10_000);
    assert!(matches!(
        PeersFile::parse(&deep),
        Err(PeersFileError::Syntax { .. })
    ));
}

#[test]
fn a_rewrite_keeps_what_it_does_not_know_and_the_order_of_everything() {
    let text = r#"{
  "zeta": {"b": 1, "a": [1.5, null, "é"]},
  "self": {"tribeToken": "t", "name": "kp", "signingKey": "k", "note": 1},
  "peers": {
    "z": {"x": true, "port": 1, "host": "z.lan", "trust": 3},
    "a": {"host": "a.lan"}
  },
  "maxHops": 3
}"#;
    let mut file = PeersFile::parse(text).unwrap();
    let values = EntryValues {
        address: "10.0.0.2:7100".parse().unwrap(),
        token: None,
        verify_key: key().verify_key(),
        certificate: None,
    };
    file.set_peer("z", &values);
    file.set_peer("new", &values);
    let written: Value = serde_json::from_str(&file.to_json()).unwrap();

    let mut expected: Value = serde_json::from_str(text).unwrap();
    let z = &mut expected["peers"]["z"];
    z["port"] = 7100.into();
    z["host"] = "10.0.0.2".into();
    z["verifyKey"] = key().verify_key().to_base64().into();
    expected["peers"]["new"] = json!({
        "host": "10.0.0.2", "port": 7100, "verifyKey": key().verify_key().to_base64(),
    });
    // As texts, because values compare equal in any order.
    assert_eq!(written.to_string(), expected.to_string());

    assert!(file.remove_peer("z") && !file.remove_peer("z"));
    assert_eq!((file.own_name(), file.max_hops()), ("kp", 3));
    assert_eq!(file.peers().len(), 2);
}

#[test]
fn a_new_file_is_one_that_every_release_can_use() {
    let mut file = PeersFile::default();
    assert_eq!(file.own_name(), "default");
    file.set_own_name("tie");
    file.set_signing_key(&key());
    let values = EntryValues {
        address: "peer-b.lan:3100".parse().unwrap(),
        token: Some(SharedToken::new("secret").unwrap()),
        verify_key: key().verify_key(),
        certificate: Some(certificate()),
    };
    file.set_peer("peer-b", &values);
    let read = PeersFile::parse(&file.to_json()).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.own_name(), "tie");
    let own_key = read.signing_key().unwrap().unwrap();
    assert_eq!(own_key.to_seed(), key().to_seed());
    let peer = read.peer("peer-b").unwrap();
    assert_eq!((peer.usable(), peer.remarks), (Live::Both, vec![]));
    assert!(!format!("{file:?}").contains("secret"));
}

#[test]
fn the_entry_for_the_other_side_can_be_pasted_back() {
    let values = EntryValues {
        address: "[fd00::7]:3100".parse().unwrap(),
        token: Some(SharedToken::new("s \"quoted\"").unwrap()),
        verify_key: key().verify_key(),
        certificate: Some(certificate()),
    };
    let paste = values.to_paste("tie");
    assert!(paste.starts_with("\"tie\": {\n"));
    let bare = certificate().fingerprint().bare();
    assert!(paste.contains(&format!("\"certFingerprint\": \"{bare}\"")));
    let object = format!("{{{}}}", *paste);
    let inner = paste.split_once(": ").unwrap().1.to_owned();
    let file = format!("{{\"peers\": {object}}}");
    for (text, name) in [
        (paste.as_str(), "tie"),
        (&format!("  {},\n", *paste), "tie"),
        (&object, "tie"),
        (&file, "tie"),
        (&inner, ""),
    ] {
        let entries = parse_pasted(text).unwrap();
        assert_eq!(entries.len(), 1, "{text}");
        assert_eq!(entries[0].name, name);
        assert_eq!(entries[0].host.as_deref(), Some("fd00::7"));
        assert!(entries[0].token.as_ref().unwrap().is("s \"quoted\""));
        assert_eq!(entries[0].fingerprint, Some(certificate().fingerprint()));
    }
    assert!(parse_pasted("").is_err() && parse_pasted("7").is_err());
    assert_eq!(parse_pasted("{\"self\": {\"name\": \"x\"}}"), Ok(vec![]));
}

#[test]
fn a_legacy_certificate_of_another_kind_of_key_can_still_be_pinned() {
    // A P-256 certificate, as a tool's defaults make it.
    let params = rcgen::CertificateParams::new(vec!["x".to_owned()]).unwrap();
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let made = params.self_signed(&p256).unwrap();
    let mut fields = with("certPem", made.pem().into());
    fields["certFingerprint"] = Fingerprint::of(made.der()).bare().into();
    let entry = entry(&fields);
    assert_eq!(entry.certificate, None);
    assert_eq!(entry.fingerprint, Some(Fingerprint::of(made.der())));
    assert!(matches!(entry.remarks[..], [Remark::Certificate(_)]));
    assert!(entry.usable().legacy());
}
