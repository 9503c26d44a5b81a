//! Pairing links as they arrive: cut, wrapped, quoted, altered, newer.

#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tieline_wire::address::{Address, AddressError};
use tieline_wire::fingerprint::Fingerprint;
use tieline_wire::invite::{Invite, InviteError, MAX_LINK};
use tieline_wire::key::KeyId;
use tieline_wire::pairing::InviteSecret;

const START: &str = "tieline://join#";

fn invite() -> Invite {
    Invite {
        pin: KeyId([1; 32]),
        fingerprint: Fingerprint([2; 32]),
        secret: InviteSecret::from_bytes([3; 16]),
        addresses: ["192.168.1.20:3100", "[fe80::1]:3100", "mac-mini.local:3100"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        name: "Mac mini (Küche)".to_owned(),
    }
}

/// A link whose payload is any version and fields, with a right length and checksum.
fn link_of(version: u8, fields: &[u8]) -> String {
    let mut bytes = vec![version];
    bytes.extend_from_slice(&u16::try_from(fields.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(fields);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum[..4]);
    format!("{START}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn fields() -> Vec<u8> {
    let link = invite().to_link().unwrap();
    let bytes = URL_SAFE_NO_PAD
        .decode(link.expose().strip_prefix(START).unwrap())
        .unwrap();
    bytes[3..bytes.len() - 4].to_vec()
}

#[test]
fn a_link_survives_the_trip() {
    let link = invite().to_link().unwrap();
    assert_eq!(Invite::parse(link.expose()), Ok(invite()));
    assert!(link.expose().len() < 300, "{}", link.expose().len());
    let nothing = Invite {
        addresses: Vec::new(),
        name: String::new(),
        ..invite()
    };
    assert_eq!(
        Invite::parse(nothing.to_link().unwrap().expose()),
        Ok(nothing)
    );
}

#[test]
fn a_link_survives_what_programs_do_to_it() {
    let link = invite().to_link().unwrap();
    let link = link.expose();
    let wrapped: String = link
        .as_bytes()
        .chunks(40)
        .map(|line| format!("  {}\r\n", std::str::from_utf8(line).unwrap()))
        .collect();
    for text in [
        format!("\n  {link} \n"),
        format!("\"{link}\""),
        format!("'{link}'"),
        format!("`{link}`"),
        format!("<{link}>"),
        format!("\u{201c}{link}\u{201d}"),
        format!("{link}."),
        format!("\u{feff}{link}\u{200b}"),
        wrapped,
        link.replacen(START, "TIELINE://JOIN#", 1),
        link.replacen(START, "tieline://join/#", 1),
        format!("{link}=="),
    ] {
        assert_eq!(Invite::parse(&text), Ok(invite()), "{text:?}");
    }
}

#[test]
fn every_cut_is_recognised_as_a_cut() {
    let link = invite().to_link().unwrap();
    let link = link.expose();
    for end in 0..link.len() {
        let expected = if end < START.len() {
            InviteError::NotALink
        } else {
            InviteError::Truncated
        };
        assert_eq!(Invite::parse(&link[..end]), Err(expected), "cut at {end}");
    }
}

#[test]
fn every_altered_character_is_noticed() {
    let link = invite().to_link().unwrap();
    let link = link.expose();
    for at in START.len()..link.len() {
        for other in [b'A', b'z', b'9'] {
            let mut altered = link.as_bytes().to_vec();
            if altered[at] == other {
                continue;
            }
            altered[at] = other;
            let parsed = Invite::parse(std::str::from_utf8(&altered).unwrap());
            // The last character may hold bits beyond the last byte; those carry nothing.
            if at + 1 == link.len() && parsed == Ok(invite()) {
                continue;
            }
            assert!(
                matches!(parsed, Err(InviteError::Damaged | InviteError::Truncated)),
                "{at}: {parsed:?}"
            );
        }
    }
}

#[test]
fn text_after_the_link_is_noticed() {
    let link = invite().to_link().unwrap();
    for tail in ["AAAA", "x", "?utm=1", "#"] {
        assert_eq!(
            Invite::parse(&format!("{}{tail}", link.expose())),
            Err(InviteError::Damaged),
            "{tail}"
        );
    }
}

#[test]
fn something_else_is_not_called_a_damaged_link() {
    for text in [
        "",
        " ",
        "hello",
        "https://example.com/",
        "tieline:",
        "tieline://",
        "tieline://open#abc",
        "tieline://joinus",
        "join#",
        &"x".repeat(1 << 20),
    ] {
        assert_eq!(
            Invite::parse(text),
            Err(InviteError::NotALink),
            "{text:.40}"
        );
    }
}

#[test]
fn a_newer_version_is_told_from_damage() {
    assert_eq!(
        Invite::parse(&link_of(2, b"whatever comes")),
        Err(InviteError::UnsupportedVersion(2))
    );
    assert_eq!(
        Invite::parse(&link_of(0, &fields())),
        Err(InviteError::UnsupportedVersion(0))
    );
    assert_eq!(Invite::parse(&link_of(1, &fields())), Ok(invite()));
}

#[test]
fn malformed_fields_under_a_right_checksum_are_refused() {
    let good = fields();
    for end in 0..good.len() {
        assert_eq!(
            Invite::parse(&link_of(1, &good[..end])),
            Err(InviteError::Damaged),
            "fields cut at {end}"
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(
        Invite::parse(&link_of(1, &longer)),
        Err(InviteError::Damaged)
    );

    let (head, name) = (&good[..80], &good[80..81 + usize::from(good[80])]);
    let nine: Vec<u8> = std::iter::repeat_n(b"\x09host:3100".as_slice(), 9)
        .flatten()
        .copied()
        .collect();
    assert_eq!(
        Invite::parse(&link_of(1, &[head, name, &[9], &nine].concat())),
        Err(InviteError::Damaged)
    );
    assert_eq!(
        Invite::parse(&link_of(1, &[head, name, b"\x01\x05host:"].concat())),
        Err(InviteError::Damaged)
    );
    assert_eq!(
        Invite::parse(&link_of(1, &[head, b"\x02\xff\xfe\0".as_slice()].concat())),
        Err(InviteError::Damaged)
    );
}

#[test]
fn a_name_from_a_link_cannot_disrupt_the_screen() {
    let (head, name) = (fields()[..80].to_vec(), "a\u{202e}b\n\u{7}c");
    let fields = [head.as_slice(), &[name.len() as u8], name.as_bytes(), &[0]].concat();
    assert_eq!(Invite::parse(&link_of(1, &fields)).unwrap().name, "ab c");
}

#[test]
fn an_invite_that_does_not_fit_is_refused_not_cut() {
    let long = format!("{0}.{0}.{0}.{1}:3100", "x".repeat(63), "y".repeat(50));
    let address: Address = long.parse().unwrap();
    let invite = |count| Invite {
        addresses: vec![address.clone(); count],
        ..invite()
    };
    assert_eq!(invite(8).to_link(), Err(InviteError::TooLong));
    assert_eq!(invite(9).to_link(), Err(InviteError::TooLong));
    assert!(invite(5).to_link().unwrap().expose().len() <= MAX_LINK);
    let name = "\u{1f600}".repeat(64);
    let link = Invite {
        name: name.clone(),
        ..self::invite()
    }
    .to_link()
    .unwrap();
    assert!(name.starts_with(&Invite::parse(link.expose()).unwrap().name));
}

#[test]
fn the_secret_stays_out_of_debug() {
    let link = invite().to_link().unwrap();
    let shown = format!("{:?} {link:?}", invite());
    assert!(
        !shown.contains("3, 3") && !shown.contains("AwMD") && !shown.contains(START),
        "{shown}"
    );
    assert!(shown.contains("InviteSecret(secret)"));
}

#[test]
fn addresses_are_read_and_shown_in_one_form() {
    for (text, shown) in [
        ("10.0.0.2:3100", "10.0.0.2:3100"),
        (" Mac-Mini.LAN:3100 ", "mac-mini.lan:3100"),
        ("host.:1", "host:1"),
        ("[::1]:65535", "[::1]:65535"),
        ("[FE80:0:0:0::1%eth0]:3100", "[fe80::1%eth0]:3100"),
        ("under_score:80", "under_score:80"),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), shown);
        assert_eq!(shown.parse(), Ok(address));
    }
}

#[test]
fn what_is_no_address_is_told_why() {
    for (text, expected) in [
        ("", AddressError::NoPort),
        ("host", AddressError::NoPort),
        ("[::1]", AddressError::NoPort),
        ("host:", AddressError::Port),
        ("host:0", AddressError::Port),
        ("host:65536", AddressError::Port),
        ("host:+80", AddressError::Port),
        ("host:80 81", AddressError::Port),
        ("::1:3100", AddressError::Brackets),
        (":3100", AddressError::Host),
        ("https://host:3100", AddressError::Host),
        ("host/path:80", AddressError::Host),
        ("user@host:80", AddressError::Host),
        ("ho st:80", AddressError::Host),
        ("höst:80", AddressError::Host),
        ("a..b:80", AddressError::Host),
        ("-a:80", AddressError::Host),
        ("1.2.3:80", AddressError::Host),
        ("256.1.1.1:80", AddressError::Host),
        ("0x7f.1:80", AddressError::Host),
        ("1.0X7f:80", AddressError::Host),
        ("[host]:80", AddressError::Host),
        ("[::1:80", AddressError::Host),
        ("[::1]80", AddressError::Host),
        ("[fe80::1%a/b]:80", AddressError::Host),
    ] {
        assert_eq!(text.parse::<Address>(), Err(expected), "{text:?}");
    }
}

#[test]
fn a_host_alone_gets_the_default_port() {
    for (text, shown) in [
        ("host", "host:3100"),
        ("::1", "[::1]:3100"),
        ("[::1]", "[::1]:3100"),
        ("host:7100", "host:7100"),
    ] {
        assert_eq!(Address::parse_or(text, 3100).unwrap().to_string(), shown);
    }
    assert_eq!(Address::parse_or("host:x", 3100), Err(AddressError::Port));
    assert_eq!(Address::parse_or("", 3100), Err(AddressError::Host));
}
