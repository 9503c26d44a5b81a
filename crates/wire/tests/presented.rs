//! What a person pastes of another machine is read in every form, and never guessed at.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tieline_wire::abtars::peers_json::EntryValues;
use tieline_wire::address::Address;
use tieline_wire::card::{Card, Dialect};
use tieline_wire::certificate::{Certificate, self_signed};
use tieline_wire::key::SigningKey;
use tieline_wire::presented::{Form, Presented, PresentedError};
use tieline_wire::problem::{Code, Problem};

fn tls() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn signing() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

fn certificate() -> Certificate {
    self_signed(&tls(), "wsl-box").unwrap()
}

fn address() -> Address {
    "192.168.1.20:3100".parse().unwrap()
}

fn card() -> Card {
    Card::new(
        "wsl-box",
        vec![address()],
        signing().verify_key(),
        certificate(),
        vec![Dialect::Tieline],
    )
    .unwrap()
}

fn read(text: &str) -> Presented {
    Presented::read(text).unwrap()
}

#[test]
fn a_card_is_read_as_json_and_as_pem() {
    let json = String::from_utf8(card().to_json()).unwrap();
    let from_json = read(&format!("\u{feff}  {json}\n"));
    assert_eq!(from_json.form, Form::Card);
    assert_eq!(from_json.card().unwrap(), card());
    let from_pem = read(&card().to_pem());
    assert_eq!(from_pem.form, Form::Pem);
    assert_eq!(from_pem.card().unwrap(), card());
    assert!(!from_pem.has_single_key());
}

#[test]
fn address_fingerprint_and_key_are_read_in_any_order_and_spelling() {
    let key = signing().verify_key().to_base64();
    let fingerprint = certificate().fingerprint();
    let grid = fingerprint.groups().join(" ");
    let words = fingerprint.words().join(" ");
    for text in [
        format!("192.168.1.20:3100\n{fingerprint}\n{key}"),
        format!("{key} {fingerprint} 192.168.1.20"),
        format!("host: 192.168.1.20\nfingerprint: {grid}\nkey: {key}"),
        format!(
            "Address: 192.168.1.20:3100\nsha256 Fingerprint={}\nVerify key = \"{key}\",",
            fingerprint.bare()
        ),
        format!("192.168.1.20\n{words}\n{key}\n"),
    ] {
        let found = read(&text);
        assert_eq!(found.form, Form::Parts, "{text}");
        assert_eq!(found.fingerprint, fingerprint, "{text}");
        assert_eq!(found.verify_key, Some(signing().verify_key()), "{text}");
        assert_eq!(found.addresses, [address()], "{text}");
        assert!(found.certificate.is_none() && found.card().is_none());
    }
}

#[test]
fn a_fingerprint_alone_is_enough_to_compare() {
    let fingerprint = certificate().fingerprint();
    let spread = fingerprint
        .groups()
        .chunks(4)
        .map(|row| row.join(" "))
        .collect::<Vec<_>>()
        .join("\n");
    for text in [fingerprint.to_string(), spread, certificate().to_pem()] {
        assert_eq!(read(&text).fingerprint, fingerprint);
        assert!(read(&text).addresses.is_empty());
    }
}

#[test]
fn an_entry_of_a_peers_json_is_read_and_its_token_left_behind() {
    let values = EntryValues {
        address: address(),
        token: None,
        verify_key: tls().verify_key(),
        certificate: Some(certificate()),
    };
    let found = read(&values.to_paste("Peer-B"));
    assert_eq!(found.form, Form::PeersJson);
    assert_eq!(found.addresses, [address()]);
    assert_eq!(found.fingerprint, certificate().fingerprint());
    assert!(found.has_single_key());
    let two = format!("{{{},{}}}", *values.to_paste("a"), *values.to_paste("b"));
    assert!(matches!(
        Presented::read(&two),
        Err(PresentedError::Several(2))
    ));
}

#[test]
fn a_text_that_contradicts_itself_is_refused() {
    let other = self_signed(&signing(), "other").unwrap();
    let mixed = format!(
        "Fingerprint: {}\n{}",
        other.fingerprint(),
        certificate().to_pem()
    );
    assert_eq!(
        Problem::from(Presented::read(&mixed).unwrap_err()).code,
        Code::CardInvalid
    );
    let two = format!("{}{}", certificate().to_pem(), other.to_pem());
    assert!(matches!(
        Presented::read(&two),
        Err(PresentedError::Contradiction("certificates"))
    ));
}

#[test]
fn a_private_key_is_refused_whatever_is_around_it() {
    let text = format!("{}{}", card().to_pem(), signing().to_pem().as_str());
    let problem = Problem::from(Presented::read(&text).unwrap_err());
    assert_eq!(problem.code, Code::CardInvalid);
    assert!(problem.cause.contains("private key"), "{}", problem.cause);
}

#[test]
fn every_refusal_says_what_to_do() {
    let sha1 = "fingerprint: 0F:2E:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12";
    for text in [
        "",
        "hello there",
        sha1,
        "{}",
        "key: abc",
        "host: ://",
        "[1,2]",
        "\"x\"",
    ] {
        let problem = Problem::from(Presented::read(text).unwrap_err());
        assert!(
            problem.remedy.ends_with('.') && problem.cause.ends_with('.'),
            "{text}: {problem:?}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_pasted_panics(text in "\\PC{0,400}") {
        let _ = Presented::read(&text);
    }

    #[test]
    fn a_card_with_dirt_in_it_is_read_right_or_refused(at in 0..900_usize, dirt in "\\PC{1,3}") {
        let mut text: Vec<char> = card().to_pem().chars().collect();
        let at = at.min(text.len());
        text.splice(at..at, dirt.chars());
        if let Ok(found) = Presented::read(&text.into_iter().collect::<String>()) {
            prop_assert!(found.certificate.is_none_or(|own| own.fingerprint() == found.fingerprint));
        }
    }
}
