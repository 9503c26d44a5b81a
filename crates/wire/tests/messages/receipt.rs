//! Receipts: what they confirm, and what they do not.

use tieline_wire::bytes::lp;
use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::receipt::{Receipt, ReceiptError, Stage, StoreId};

use crate::keys;
fn receipt() -> Receipt {
    let (sender, recipient) = keys();
    let id = MessageId::new("m-1").unwrap();
    Receipt::sign(
        &recipient,
        Stage::Stored,
        &id,
        sender.key_id(),
        ContentHash([5; 32]),
        StoreId([6; 16]),
    )
}

#[test]
fn a_receipt_is_good_for_one_stage_of_one_message_in_one_store() {
    let (sender, recipient) = keys();
    let key = recipient.verify_key();
    let good = receipt();
    good.verify(&key).unwrap();
    good.verify_for(&key, &good.message_id, sender.key_id(), good.content_hash)
        .unwrap();

    let changed = [
        Receipt {
            stage: Stage::Acknowledged,
            ..good.clone()
        },
        Receipt {
            stage: Stage::Refused,
            ..good.clone()
        },
        Receipt {
            message_id: MessageId::new("m-2").unwrap(),
            ..good.clone()
        },
        Receipt {
            sender: KeyId([0; 32]),
            ..good.clone()
        },
        Receipt {
            content_hash: ContentHash([0; 32]),
            ..good.clone()
        },
        Receipt {
            store_id: StoreId([0; 16]),
            ..good.clone()
        },
    ];
    for other in changed {
        assert_eq!(
            other.verify(&key),
            Err(ReceiptError::Signature),
            "{other:?}"
        );
    }
    let renamed = Receipt {
        recipient: sender.key_id(),
        ..good.clone()
    };
    assert_eq!(renamed.verify(&key), Err(ReceiptError::OtherKey));
    assert_eq!(
        renamed.verify(&sender.verify_key()),
        Err(ReceiptError::Signature)
    );
    assert_eq!(
        good.verify(&sender.verify_key()),
        Err(ReceiptError::OtherKey)
    );
}

#[test]
fn a_genuine_receipt_of_another_message_confirms_nothing() {
    let (sender, recipient) = keys();
    let (good, key) = (receipt(), recipient.verify_key());
    let (id, hash) = (good.message_id.clone(), good.content_hash);
    let other_id = MessageId::new("m-2").unwrap();
    for result in [
        good.verify_for(&key, &other_id, sender.key_id(), hash),
        good.verify_for(&key, &id, recipient.key_id(), hash),
        good.verify_for(&key, &id, sender.key_id(), ContentHash([0; 32])),
    ] {
        assert_eq!(result, Err(ReceiptError::OtherMessage));
    }
}

#[test]
fn a_receipt_signs_what_the_protocol_says() {
    let (sender, recipient) = keys();
    let signed = lp(&[
        b"tieline-receipt-v1",
        b"stored",
        b"m-1",
        sender.key_id().as_bytes(),
        recipient.key_id().as_bytes(),
        &[5; 32],
        &[6; 16],
    ]);
    assert_eq!(receipt().signature, recipient.sign(&signed));
}

#[test]
fn a_receipt_travels_as_strict_json() {
    let good = receipt();
    let json = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), good);
    for stage in [
        Stage::Stored,
        Stage::HandedOver,
        Stage::Acknowledged,
        Stage::Refused,
    ] {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    for bad in [
        json.replacen('{', r#"{"extra":1,"#, 1),
        json.replacen('{', r#"{"stage":"stored","#, 1),
        json.replace("stored", "Stored"),
        json.replace("stored", "read"),
    ] {
        assert!(serde_json::from_str::<Receipt>(&bad).is_err(), "{bad}");
    }
}
