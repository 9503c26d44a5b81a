//! Receipts: the recipient's signed word for a stage that a message reached.

use serde::{Deserialize, Serialize};

use crate::bytes::lp;
use crate::encoding::bytes_type;
use crate::key::{BadSignature, KeyId, Signature, SigningKey, VerifyKey};
use crate::message::{ContentHash, MessageId};

bytes_type!(
    /// Names one database of one node. Random, and changed when a database is restored or replaced,
    /// so that a sender notices when what was stored may be gone.
    StoreId,
    16,
    "a store id"
);

impl StoreId {
    /// A new random id.
    #[must_use]
    pub fn generate() -> Self {
        Self(crate::random::bytes())
    }
}

/// How far a message came at the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Committed to the recipient's database.
    Stored,
    /// Given to an agent, a command or an endpoint.
    HandedOver,
    /// Confirmed by whoever it was for.
    Acknowledged,
    /// Not stored, and never will be under this id and content.
    Refused,
}

impl Stage {
    /// The name as signed and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::HandedOver => "handedOver",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
        }
    }
}

/// A signed statement: this recipient's database brought this message to this stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The stage reached.
    pub stage: Stage,
    /// The message's id.
    pub message_id: MessageId,
    /// Id of the sender's signing key.
    pub sender: KeyId,
    /// Id of the recipient's signing key, which signed this.
    pub recipient: KeyId,
    /// The message's [`content_hash`](crate::message::Envelope::content_hash).
    pub content_hash: ContentHash,
    /// The database the statement is about.
    pub store_id: StoreId,
    /// Signature over `lp("tieline-receipt-v1", stage, message id, sender, recipient, hash, store id)`.
    pub signature: Signature,
}

/// A receipt that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It names another recipient than the key it is checked with.
    /// Likely cause: a receipt of another peer, or of a key since replaced.
    #[error("the receipt is of another key")]
    OtherKey,
    /// The signature does not cover these fields.
    #[error("the receipt's signature does not match")]
    Signature,
    /// It is genuine, but about another message, sender or content.
    #[error("the receipt is about another message")]
    OtherMessage,
}

impl Receipt {
    /// Signs a receipt as the recipient.
    #[must_use]
    pub fn sign(
        recipient: &SigningKey,
        stage: Stage,
        message_id: &MessageId,
        sender: KeyId,
        content_hash: ContentHash,
        store_id: StoreId,
    ) -> Self {
        let key_id = recipient.key_id();
        let signed = signed_bytes(
            stage,
            message_id,
            &sender,
            &key_id,
            &content_hash,
            &store_id,
        );
        Self {
            stage,
            message_id: message_id.clone(),
            sender,
            recipient: key_id,
            content_hash,
            store_id,
            signature: recipient.sign(&signed),
        }
    }

    /// Checks that `recipient` signed exactly these fields.
    ///
    /// Whether they are about the message in question is [`verify_for`](Self::verify_for)'s part.
    ///
    /// # Errors
    /// [`ReceiptError::OtherKey`] or [`ReceiptError::Signature`].
    pub fn verify(&self, recipient: &VerifyKey) -> Result<(), ReceiptError> {
        if self.recipient != recipient.key_id() {
            return Err(ReceiptError::OtherKey);
        }
        let Self {
            stage,
            message_id,
            sender,
            recipient: key_id,
            content_hash,
            store_id,
            signature,
        } = self;
        let signed = signed_bytes(*stage, message_id, sender, key_id, content_hash, store_id);
        recipient
            .verify(&signed, signature)
            .map_err(|BadSignature| ReceiptError::Signature)
    }

    /// Checks the signature, and that it is about this message with this content from this sender.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify_for(
        &self,
        recipient: &VerifyKey,
        message_id: &MessageId,
        sender: KeyId,
        content_hash: ContentHash,
    ) -> Result<(), ReceiptError> {
        if self.message_id != *message_id
            || self.sender != sender
            || self.content_hash != content_hash
        {
            return Err(ReceiptError::OtherMessage);
        }
        self.verify(recipient)
    }
}

fn signed_bytes(
    stage: Stage,
    message_id: &MessageId,
    sender: &KeyId,
    recipient: &KeyId,
    content_hash: &ContentHash,
    store_id: &StoreId,
) -> Vec<u8> {
    lp(&[
        b"tieline-receipt-v1",
        stage.as_str().as_bytes(),
        message_id.as_str().as_bytes(),
        sender.as_bytes(),
        recipient.as_bytes(),
        content_hash.as_bytes(),
        store_id.as_bytes(),
    ])
}
