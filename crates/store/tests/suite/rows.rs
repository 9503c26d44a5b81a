//! Peers, attempts, settings, invites and the descriptions of secrets.

use crate::support::{Home, NOW, add_peer, new_peer, outgoing};
use serde_json::{Value, json};
use tieline_store::attempts::{self, Attempt, AttemptStatus};
use tieline_store::invites::{self, BoundInvite};
use tieline_store::messages::{self, Mode};
use tieline_store::peers::{self, PeerId, PeerState};
use tieline_store::{StoreError, secrets, settings};
use tieline_wire::address::Address;
use tieline_wire::key::SigningKey;
use tieline_wire::receipt::StoreId;
use tieline_wire::time::UnixMillis;

#[tokio::test]
async fn a_peer_is_found_by_name_and_keys_until_it_is_revoked() {
    let home = Home::new();
    let store = home.open();
    let peer = new_peer("kitchen");
    let (tls, verify) = (peer.tls_key.unwrap(), peer.verify_key.unwrap());
    store
        .write(move |tx| {
            let id = peers::insert(tx, &peer)?;
            let found = [
                peers::get(tx, id)?,
                peers::by_alias(tx, "kitchen")?,
                peers::by_tls_key(tx, &tls)?,
                peers::by_key_id(tx, &verify.key_id())?,
            ];
            for row in found {
                let row = row.unwrap();
                assert_eq!(
                    (row.id, &*row.alias, row.state),
                    (id, "kitchen", PeerState::Kept)
                );
                assert_eq!((row.tls_key, row.verify_key), (Some(tls), Some(verify)));
                assert_eq!(
                    (row.addresses, row.certificate),
                    (peer.addresses.clone(), peer.certificate.clone())
                );
                assert_eq!(
                    (row.sealed_token, row.token_confirmed),
                    (peer.sealed_token.clone(), false)
                );
                assert_eq!(
                    (row.suggested_name.as_deref(), row.paired_at),
                    (Some("Kitchen"), NOW)
                );
            }
            assert!(
                peers::by_tls_key(tx, &verify)?.is_none()
                    && peers::revoked_by_tls_key(tx, &tls)?.is_none()
            );

            assert!(
                matches!(peers::insert(tx, &peer), Err(StoreError::Constraint { .. })),
                "the alias is taken"
            );
            let mut same_key = new_peer("other");
            same_key.tls_key = Some(tls);
            assert!(
                matches!(
                    peers::insert(tx, &same_key),
                    Err(StoreError::Constraint { .. })
                ),
                "the key is pinned"
            );

            peers::revoke(tx, id, UnixMillis(NOW.0 + 1))?;
            assert!(peers::by_alias(tx, "kitchen")?.is_none());
            assert!(
                peers::by_tls_key(tx, &tls)?.is_none()
                    && peers::by_key_id(tx, &verify.key_id())?.is_none()
            );
            let revoked = peers::revoked_by_tls_key(tx, &tls)?.unwrap();
            assert_eq!(
                (revoked.state, revoked.sealed_token),
                (PeerState::Revoked, None)
            );
            assert_eq!(revoked.cut_at, Some(UnixMillis(NOW.0 + 1)));

            let again = peers::insert(tx, &peer)?;
            assert!(again > id);
            assert_eq!(peers::by_tls_key(tx, &tls)?.unwrap().id, again);
            let ids = |with_revoked| {
                peers::list(tx, with_revoked)
                    .map(|rows| rows.iter().map(|row| row.id).collect::<Vec<_>>())
            };
            assert_eq!((ids(false)?, ids(true)?), (vec![again], vec![id, again]));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn every_change_to_a_peer_is_kept() {
    let home = Home::new();
    let store = home.open();
    let id = add_peer(&store, "kitchen").await;
    let addresses: Vec<Address> = vec![
        "[2001:db8::7]:3100".parse().unwrap(),
        "box.example:3101".parse().unwrap(),
    ];
    let (tls, verify) = (
        SigningKey::generate().verify_key(),
        SigningKey::generate().verify_key(),
    );
    let wanted = addresses.clone();
    store
        .write(move |tx| {
            peers::rename(tx, id, "scullery")?;
            peers::set_state(tx, id, PeerState::NewKey)?;
            peers::set_keys(tx, id, Some(&tls), Some(&verify), Some(b"der"))?;
            peers::set_addresses(tx, id, &wanted)?;
            peers::set_last_good_address(tx, id, wanted.first())?;
            peers::set_suggested_name(tx, id, None)?;
            peers::set_token(tx, id, Some(b"sealed"), false)?;
            peers::confirm_token(tx, id)?;
            peers::set_clock_offset(tx, id, Some(-10_800_000))?;
            peers::set_reach_out(tx, id, Some(&json!({"ok": true})))?;
            peers::set_reach_in(tx, id, Some(&json!({"ok": false})))?;
            peers::set_last_seen(tx, id, NOW)?;
            peers::set_last_error(tx, id, Some(&json!({"code": "UNREACHABLE"})))?;
            peers::set_muted_until(tx, id, Some(NOW))?;
            peers::set_options(tx, id, &json!({"sound": false}))?;
            peers::set_store_id(tx, id, &StoreId([9; 16]))?;
            let unknown = peers::set_last_seen(tx, PeerId(77), NOW);
            assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
            Ok(())
        })
        .await
        .unwrap();
    store.close().await.unwrap();
    let row = home
        .open()
        .read(|conn| peers::by_alias(conn, "scullery"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.id, row.state, row.suggested_name),
        (id, PeerState::NewKey, None)
    );
    assert_eq!(
        (row.tls_key, row.verify_key, row.certificate.as_deref()),
        (Some(tls), Some(verify), Some(&b"der"[..]))
    );
    assert_eq!(
        (row.last_good_address.as_ref(), &row.addresses),
        (addresses.first(), &addresses)
    );
    assert_eq!(
        (row.sealed_token.as_deref(), row.token_confirmed),
        (Some(&b"sealed"[..]), true)
    );
    assert_eq!(
        (row.clock_offset_ms, row.last_seen_at, row.muted_until),
        (Some(-10_800_000), Some(NOW), Some(NOW))
    );
    assert_eq!(
        (row.reach_out, row.reach_in),
        (Some(json!({"ok": true})), Some(json!({"ok": false})))
    );
    assert_eq!(
        (row.last_error, row.options),
        (
            Some(json!({"code": "UNREACHABLE"})),
            json!({"sound": false})
        )
    );
    assert_eq!(row.store_id, Some(StoreId([9; 16])));
}

#[tokio::test]
async fn attempts_are_numbered_per_message() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    store
        .write(move |tx| {
            for name in ["a", "b"] {
                messages::insert_outgoing(tx, &outgoing(peer, name, Mode::Now))?;
            }
            let mut attempt = Attempt {
                route: "lan".into(),
                via: Some("held".into()),
                address: Some("192.0.2.7:3100".into()),
                phase: Some("connect".into()),
                status: AttemptStatus::Failed,
                code: Some("CONNECT_REFUSED".into()),
                detail: Some(json!({"code": "CONNECT_REFUSED"})),
                started_at: NOW,
                latency_us: Some(1200),
                connect_us: Some(1),
                tls_us: Some(2),
                auth_us: Some(3),
                store_us: Some(4),
            };
            assert_eq!(attempts::record(tx, 1, &attempt)?, 1);
            let first = attempt.clone();
            attempt.status = AttemptStatus::Success;
            attempt.code = None;
            assert_eq!(attempts::record(tx, 1, &attempt)?, 2);
            assert_eq!(attempts::record(tx, 2, &attempt)?, 1);
            assert_eq!(attempts::list(tx, 1)?, [first, attempt.clone()]);
            assert!(matches!(
                attempts::record(tx, 3, &attempt),
                Err(StoreError::Constraint { .. })
            ));
            let shown = serde_json::to_value(&attempt).unwrap();
            assert_eq!(
                (&shown["status"], &shown["startedAt"]),
                (&json!("success"), &json!("2026-03-01T12:00:00.000Z"))
            );
            assert_eq!(shown.get("code"), None);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn settings_are_typed() {
    let home = Home::new();
    let store = home.open();
    store
        .write(|tx| {
            assert_eq!(settings::get::<Value>(tx, "a")?, None);
            settings::set(tx, "a", &vec![1, 2])?;
            settings::set(tx, "a", &vec![3])?;
            settings::set(tx, "b", "text")?;
            assert_eq!(settings::get::<Vec<i64>>(tx, "a")?, Some(vec![3]));
            assert!(matches!(
                settings::get::<bool>(tx, "a"),
                Err(StoreError::Sql { .. })
            ));
            assert_eq!(
                settings::list(tx)?,
                [("a".into(), json!([3])), ("b".into(), json!("text"))]
            );
            assert!(settings::remove(tx, "a")? && !settings::remove(tx, "a")?);
            assert_eq!(settings::elapsed(tx)?, 0);
            settings::set_elapsed(tx, 5000)?;
            settings::set_elapsed(tx, 4000)?;
            assert_eq!(settings::elapsed(tx)?, 5000);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_invite_is_bound_once() {
    let home = Home::new();
    let store = home.open();
    let peer = add_peer(&store, "kitchen").await;
    let invite = BoundInvite {
        invite_id: [1; 16],
        tls_key: SigningKey::generate().verify_key(),
        verify_key: SigningKey::generate().verify_key(),
        peer,
        confirmed: false,
        bound_at: NOW,
    };
    store
        .write(move |tx| {
            assert_eq!(invites::get(tx, &[1; 16])?, None);
            invites::bind(tx, &invite)?;
            assert!(matches!(
                invites::bind(tx, &invite),
                Err(StoreError::Constraint { .. })
            ));
            assert_eq!(invites::get(tx, &[1; 16])?, Some(invite.clone()));
            assert!(invites::confirm(tx, &[1; 16])? && !invites::confirm(tx, &[1; 16])?);
            assert!(invites::get(tx, &[1; 16])?.unwrap().confirmed);
            assert_eq!(invites::forget_before(tx, NOW)?, 0);
            assert_eq!(invites::forget_before(tx, UnixMillis(NOW.0 + 1))?, 1);
            invites::bind(tx, &invite)?;
            peers::revoke(tx, peer, NOW)?;
            assert_eq!(invites::get(tx, &[1; 16])?, None);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_secret_remembers_when_it_was_set() {
    let home = Home::new();
    let store = home.open();
    let later = UnixMillis(NOW.0 + 9);
    let rows = store.write(move |tx| {
        secrets::record(tx, "relay", "file", NOW)?;
        secrets::record(tx, "relay", "keychain", later)?;
        secrets::record(tx, "lan", "file", later)?;
        assert!(secrets::forget(tx, "lan")? && !secrets::forget(tx, "lan")?);
        secrets::list(tx)
    });
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&*rows[0].name, &*rows[0].backend), ("relay", "keychain"));
    assert_eq!((rows[0].created_at, rows[0].rotated_at), (NOW, Some(later)));
}
