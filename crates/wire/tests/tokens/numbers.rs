//! The numbers of tokens, and the pair's HMAC.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use tieline_wire::key::SigningKey;
use tieline_wire::token::{JtiError, JtiWindow, PairToken, check_pair_mac, pair_mac};

use crate::pair;
#[test]
fn numbers_may_overtake_one_another_but_never_repeat() {
    let mut window = JtiWindow::new();
    for number in [100, 101, 99, 5000, 4999, 905, 906] {
        assert_eq!(window.accept(number), Ok(()), "{number}");
        assert_eq!(window.accept(number), Err(JtiError::Repeated), "{number}");
    }
    assert_eq!(window.accept(904), Err(JtiError::TooOld));
    assert_eq!(window.accept(0), Err(JtiError::TooOld));
}

#[test]
fn the_window_agrees_with_a_plain_set_of_numbers() {
    let mut window = JtiWindow::new();
    let mut used = std::collections::HashSet::new();
    let (mut highest, mut state) = (None::<u64>, 1_u64);
    for _ in 0..200_000 {
        // Steps of a simple generator: mostly near the front, sometimes far ahead or behind.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let random = state >> 33;
        let base = highest.unwrap_or(10_000);
        let number = match random % 20 {
            0 => base + random % 9000,
            1 => base.saturating_sub(random % 9000),
            _ => (base + 8).saturating_sub(random % 64),
        };
        let too_old = highest.is_some_and(|highest| highest >= number + 4096);
        let expected = match (too_old, used.insert(number)) {
            (true, _) => Err(JtiError::TooOld),
            (false, false) => Err(JtiError::Repeated),
            (false, true) => Ok(()),
        };
        assert_eq!(
            window.accept(number),
            expected,
            "{number} after {highest:?}"
        );
        if expected.is_ok() {
            highest = highest.max(Some(number));
        }
    }
}

#[test]
fn the_last_number_of_all_works_and_ends_the_connection() {
    let mut window = JtiWindow::new();
    assert_eq!(window.accept(0), Ok(()));
    assert_eq!(window.accept(u64::MAX), Ok(()));
    assert_eq!(window.accept(u64::MAX), Err(JtiError::Repeated));
    assert_eq!(window.accept(u64::MAX - 4095), Ok(()));
    assert_eq!(window.accept(u64::MAX - 4096), Err(JtiError::TooOld));
}

#[test]
fn the_pair_mac_belongs_to_one_token_and_one_pair() {
    let secret = PairToken::from_bytes([5; 32]);
    let mac = pair_mac(&secret, "a.b.c");
    assert!(check_pair_mac(&secret, "a.b.c", &mac));
    assert!(!check_pair_mac(&secret, "a.b.d", &mac));
    assert!(!check_pair_mac(
        &PairToken::from_bytes([6; 32]),
        "a.b.c",
        &mac
    ));
    for wrong in ["", "x", &mac[1..], &format!("{mac}A"), &format!("{mac}=")] {
        assert!(!check_pair_mac(&secret, "a.b.c", wrong), "{wrong:?}");
    }
    // Not interchangeable with a JWT made with the pair token as HS256 key.
    let plain = Hmac::<sha2::Sha256>::new_from_slice(&[5; 32])
        .unwrap()
        .chain_update("a.b.c")
        .finalize();
    assert!(!check_pair_mac(
        &secret,
        "a.b.c",
        &URL_SAFE_NO_PAD.encode(plain.into_bytes())
    ));
}

#[test]
fn a_pair_token_survives_its_text_form_and_stays_out_of_debug() {
    let secret = PairToken::from_bytes([0xab; 32]);
    let text = secret.to_base64();
    assert_eq!(PairToken::parse(&text).unwrap(), secret);
    assert!(PairToken::parse(&text[..40]).is_err());
    assert_eq!(format!("{secret:?}"), "PairToken(secret)");
    let signer = format!("{:?}", pair().signer);
    assert!(
        !signer.contains(&*SigningKey::from_seed(&[1; 32]).to_base64()),
        "{signer}"
    );
}
