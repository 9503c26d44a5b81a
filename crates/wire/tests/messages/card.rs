//! Cards in both forms.

use serde_json::json;
use tieline_wire::card::{Card, CardError, Dialect};
use tieline_wire::certificate::self_signed;

use crate::keys;
fn card() -> Card {
    let (tls, signing) = keys();
    let addresses = ["192.168.1.20:3100", "[fe80::1]:3100"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    let certificate = self_signed(&tls, "wsl-box").unwrap();
    Card::new(
        "WSL box",
        addresses,
        signing.verify_key(),
        certificate,
        vec![Dialect::Tieline, Dialect::Abtars],
    )
    .unwrap()
}

#[test]
fn a_card_survives_both_of_its_forms() {
    assert_eq!(Card::parse(&card().to_json()).unwrap(), card());
    let json = String::from_utf8(card().to_json()).unwrap();
    assert_eq!(
        Card::parse_any(&format!("\u{feff} {json}\n")).unwrap(),
        card()
    );
    let from_pem = Card::parse_any(&card().to_pem()).unwrap();
    assert_eq!(
        from_pem,
        Card {
            dialects: vec![Dialect::Tieline],
            ..card()
        }
    );
    assert_eq!(
        Card::parse_any(&card().to_pem().replace('\n', "\r\n")).unwrap(),
        from_pem
    );
    assert_eq!(
        serde_json::from_slice::<Card>(&card().to_json()).unwrap(),
        card()
    );
}

#[test]
fn a_card_names_its_fields_as_documented() {
    let value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
    let names: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "version",
            "name",
            "addresses",
            "verifyKey",
            "certificate",
            "fingerprint",
            "dialects"
        ]
    );
    assert_eq!(value["version"], 1);
    assert_eq!(value["dialects"], json!(["tieline", "abtars"]));
    assert_eq!(value["addresses"][1], "[fe80::1]:3100");
    assert!(
        value["fingerprint"]
            .as_str()
            .unwrap()
            .starts_with("SHA256:")
    );
}

#[test]
fn a_card_of_a_later_minor_kind_is_read() {
    let mut value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
    value["colour"] = json!("copper");
    value["dialects"] = json!(["tieline", "morse", "abtars"]);
    assert_eq!(Card::parse(value.to_string().as_bytes()).unwrap(), card());
}

#[test]
fn an_inconsistent_card_is_refused() {
    let (tls, _) = keys();
    let edit = |name: &str, to: serde_json::Value| {
        let mut value: serde_json::Value = serde_json::from_slice(&card().to_json()).unwrap();
        value[name] = to;
        Card::parse(value.to_string().as_bytes()).unwrap_err()
    };
    let other = self_signed(&tls, "other").unwrap();
    assert!(matches!(
        edit("fingerprint", json!(other.fingerprint())),
        CardError::FingerprintMismatch
    ));
    assert!(matches!(
        edit("certificate", json!(other.to_pem())),
        CardError::FingerprintMismatch
    ));
    assert!(matches!(edit("version", json!(2)), CardError::Version(2)));
    assert!(matches!(
        edit("addresses", json!(vec!["h:1"; 17])),
        CardError::TooManyAddresses
    ));
    assert!(matches!(
        edit("addresses", json!(["h"])),
        CardError::Malformed(_)
    ));
    assert!(matches!(
        edit("verifyKey", json!("")),
        CardError::Malformed(_)
    ));
    assert!(matches!(
        edit("verifyKey", json!(&*tls.to_base64())),
        CardError::Malformed(_)
    ));
    let repeated = String::from_utf8(card().to_json())
        .unwrap()
        .replacen('{', r#"{"name":"x","#, 1);
    assert!(matches!(
        Card::parse(repeated.as_bytes()),
        Err(CardError::Malformed(_))
    ));
    let huge = format!("{{\"x\":\"{}\"", "y".repeat(70_000));
    assert!(matches!(
        Card::parse(huge.as_bytes()),
        Err(CardError::TooLarge)
    ));
    assert!(matches!(
        Card::parse_any(&"y".repeat(70_000)),
        Err(CardError::TooLarge)
    ));
}

#[test]
fn a_pem_card_with_a_mistake_is_told_what_it_is() {
    let (tls, _) = keys();
    let pem = card().to_pem();
    let wrong_print = pem.replace(
        &card().fingerprint.to_string(),
        &format!("SHA256:{}", "00".repeat(32)),
    );
    assert!(matches!(
        Card::parse_any(&wrong_print),
        Err(CardError::FingerprintMismatch)
    ));
    let wrong_address = pem.replace("192.168.1.20:3100", "192.168.1.20");
    assert!(
        matches!(Card::parse_any(&wrong_address), Err(CardError::Address(text)) if text == "192.168.1.20")
    );
    let with_secret = format!("{pem}{}", &*tls.to_pem());
    assert!(matches!(
        Card::parse_any(&with_secret),
        Err(CardError::Private)
    ));
    let without_key = &pem[..pem.find("-----BEGIN PUBLIC").unwrap()];
    assert!(matches!(
        Card::parse_any(without_key),
        Err(CardError::Key(_))
    ));
    assert!(matches!(
        Card::parse_any("hello"),
        Err(CardError::Certificate(_))
    ));
    assert!(matches!(
        Card::parse_any(""),
        Err(CardError::Certificate(_))
    ));
}

#[test]
fn a_cards_name_is_made_fit_to_show() {
    let (tls, signing) = keys();
    let certificate = self_signed(&tls, "x").unwrap();
    let name = |name: &str| {
        Card::new(
            name,
            Vec::new(),
            signing.verify_key(),
            certificate.clone(),
            Vec::new(),
        )
        .unwrap()
        .name
    };
    assert_eq!(name("  wsl \n box\t"), "wsl box");
    assert_eq!(name("a\u{202e}gpj.exe\u{2066}\u{200b}"), "agpj.exe");
    assert_eq!(name("\u{1b}[31mred"), "[31mred");
    assert_eq!(name(&"é".repeat(100)).chars().count(), 64);
    assert_eq!(name(""), "");
}
