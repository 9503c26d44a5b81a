//! What a token is bound to: a request, a connection, two nodes, and its own characters.

use serde_json::json;
use tieline_wire::key::SigningKey;
use tieline_wire::token::{Binding, TokenError, TokenSigner, body_hash};

use crate::{HEADER, NOW, binding, pair};
#[test]
fn a_token_serves_only_its_own_request_and_connection() {
    let pair = pair();
    let token = pair.signer.mint(&binding(), NOW, 7);
    let right = binding();
    let cases = [
        (
            Binding {
                method: "GET",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                method: "post",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages?x=2",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/messages?x=1&",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                path: "/tieline/v1/./messages?x=1",
                ..right
            },
            TokenError::Request,
        ),
        (
            Binding {
                body_hash: body_hash(b"{} "),
                ..right
            },
            TokenError::Body,
        ),
        (
            Binding {
                body_hash: body_hash(b""),
                ..right
            },
            TokenError::Body,
        ),
        (
            Binding {
                channel: [8; 32],
                ..right
            },
            TokenError::Channel,
        ),
    ];
    for (other, expected) in cases {
        assert_eq!(
            pair.verifier.check(&token, &other).unwrap_err(),
            expected,
            "{other:?}"
        );
    }
}

#[test]
fn a_token_for_another_node_or_from_another_key_is_refused() {
    let mut pair = pair();
    let (stranger, third) = (
        SigningKey::from_seed(&[3; 32]),
        SigningKey::from_seed(&[4; 32]),
    );
    let own = SigningKey::from_seed(&[2; 32]);

    let for_third = TokenSigner::new(&pair.asker, third.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&for_third), TokenError::Audience);

    let by_stranger = TokenSigner::new(&stranger, own.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&by_stranger), TokenError::Signature);

    // Signed by the right key, but in somebody else's name.
    let mut claims = pair.claims();
    claims["iss"] = json!(stranger.key_id().to_string());
    let renamed = pair.signed(HEADER, &claims.to_string());
    assert_eq!(pair.refused(&renamed), TokenError::Issuer);

    // Our own token sent back to us.
    let reflected = TokenSigner::new(&own, pair.asker.key_id()).mint(&binding(), NOW, 1);
    assert_eq!(pair.refused(&reflected), TokenError::Signature);
}

#[test]
fn any_altered_character_is_noticed() {
    let mut pair = pair();
    let token = pair.signer.mint(&binding(), NOW, 7);
    for at in 0..token.len() {
        for other in [b'A', b'-', b'.', b'=', b' '] {
            let mut altered = token.clone().into_bytes();
            if altered[at] != other {
                altered[at] = other;
                pair.refused(std::str::from_utf8(&altered).unwrap());
            }
        }
        pair.refused(&token[..at]);
    }
    for wrapped in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.x"),
        format!("Bearer {token}"),
    ] {
        pair.refused(&wrapped);
    }
    assert_eq!(pair.refused(&"A".repeat(1 << 20)), TokenError::Malformed);
    pair.verifier
        .verify(&token, &binding(), &mut pair.window)
        .unwrap();
}
