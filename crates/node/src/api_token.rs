//! The local API's token: derived from the sealing key, so that it is kept nowhere else.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use tieline_store::{Store, settings};
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;

use crate::model::EventKind;
use crate::node::Node;

/// Setting with the number of the token that is taken.
const SETTING: &str = "apiTokenTurn";

/// Which of its tokens this node takes now.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    number: AtomicU64,
    /// Cancelled when what was begun with a token has to end.
    admission: Mutex<CancellationToken>,
}

impl Turn {
    /// What the database has. Where that is another one than it was, an earlier token may stand in
    /// it, or none: a token that was never given out is taken from then on.
    ///
    /// # Errors
    /// Those of the store; `INTERNAL` when the operating system gives no randomness.
    pub(crate) async fn load(store: &Store, is_another: bool) -> Result<Self, Problem> {
        let number = if is_another {
            let fresh = fresh()?;
            store
                .write(move |tx| settings::set(tx, SETTING, &fresh))
                .await?;
            Some(fresh)
        } else {
            store.read(|conn| settings::get(conn, SETTING)).await?
        };
        Ok(Self {
            number: AtomicU64::new(number.unwrap_or(0)),
            ..Self::default()
        })
    }

    /// Ends what was begun so far.
    fn end_admissions(&self) {
        std::mem::take(&mut *self.admission.lock()).cancel();
    }
}

/// A number that no rotation by one comes to from another.
fn fresh() -> Result<u64, Problem> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes[2..]).map_err(|error| {
        Problem::new(Code::Internal)
            .because(format!("The operating system gave no randomness: {error}."))
    })?;
    Ok(u64::from_be_bytes(bytes))
}

impl Node {
    /// Bearer that agents on this machine show to the local API. The same after a restart.
    #[must_use]
    pub fn api_token(&self) -> String {
        let purpose = match self.token_turn.number.load(Ordering::Acquire) {
            0 => "tieline local api token".to_owned(),
            turn => format!("tieline local api token {turn}"),
        };
        let token = self.identity.seal.derive(&purpose);
        format!("tl_{}", URL_SAFE_NO_PAD.encode(token.as_slice()))
    }

    /// Cancelled when the token is replaced, or demanded everywhere: streams that were let in before
    /// end then. To be taken before a request's token is looked at.
    #[must_use]
    pub fn api_admission(&self) -> CancellationToken {
        self.token_turn.admission.lock().clone()
    }

    /// Replaces the local API's token; the old one is refused from now on, and streams that it opened
    /// end.
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
        self.token_turn.number.fetch_max(turn, Ordering::AcqRel);
        self.end_api_admissions();
        self.events.changed(EventKind::Settings, "apiToken");
        Ok(self.api_token())
    }

    /// Ends the streams of the local API that are open; whoever may opens them again.
    pub(crate) fn end_api_admissions(&self) {
        self.token_turn.end_admissions();
    }
}
