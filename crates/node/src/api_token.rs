//! The local API's token: derived from the sealing key, so that it is kept nowhere else.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tieline_store::{Store, StoreError, settings};
use tieline_wire::problem::Problem;

use crate::model::EventKind;
use crate::node::Node;

/// Setting with the number of times that the token was replaced.
const SETTING: &str = "apiTokenTurn";

/// Which of its tokens this node takes now.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU64);

impl Turn {
    /// What the database has.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let turn = store.read(|conn| settings::get(conn, SETTING)).await?;
        Ok(Self(AtomicU64::new(turn.unwrap_or(0))))
    }
}

impl Node {
    /// Bearer that agents on this machine show to the local API. The same after a restart.
    #[must_use]
    pub fn api_token(&self) -> String {
        let purpose = match self.token_turn.0.load(Ordering::Acquire) {
            0 => "tieline local api token".to_owned(),
            turn => format!("tieline local api token {turn}"),
        };
        let token = self.identity.seal.derive(&purpose);
        format!("tl_{}", URL_SAFE_NO_PAD.encode(token.as_slice()))
    }

    /// Replaces the local API's token; the old one is refused from now on.
    ///
    /// # Errors
    /// Those of the store; the old token then goes on.
    pub async fn rotate_api_token(&self) -> Result<String, Problem> {
        let turn = self
            .store
            .write(|tx| {
                let turn = settings::get::<u64>(tx, SETTING)?.unwrap_or(0) + 1;
                settings::set(tx, SETTING, &turn)?;
                Ok(turn)
            })
            .await?;
        // Two at once may come here in either order; the database's last one counts.
        self.token_turn.0.fetch_max(turn, Ordering::AcqRel);
        self.events.changed(EventKind::Settings, "apiToken");
        Ok(self.api_token())
    }
}
