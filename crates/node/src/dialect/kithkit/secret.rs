//! The secret that KithKit machines share on the LAN.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tieline_vault::{Secret, VaultError};
use tieline_wire::problem::{Code, Problem};

use crate::clock::Instant;
use crate::node::Node;

/// The keychain item of it.
const LAN_SECRET: &str = "credential-agent-comms-secret";
/// How long what the vault said is good for messages that arrive: whoever is on the network can
/// have this node look, and a keychain may ask the person each time.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// What the vault said last.
#[derive(Default)]
pub(crate) struct LanSecret {
    /// One look at a time.
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Option<(Instant, Found)>>,
    /// Counts the changes of the secret made here.
    changes: AtomicU64,
}

/// The secret, `None` where there is none, or why that cannot be told.
type Found = Result<Option<Secret>, Problem>;

impl LanSecret {
    /// The secret with this name was changed or deleted.
    pub(crate) fn changed(&self, name: &str) {
        if name == LAN_SECRET {
            self.changes.fetch_add(1, Ordering::SeqCst);
            *self.known.lock() = None;
        }
    }

    fn lately(&self) -> Option<Found> {
        let known = self.known.lock();
        let (as_of, found) = known.as_ref()?;
        (as_of.elapsed() < GOOD_FOR).then(|| found.clone())
    }
}

/// The secret for a message that leaves: set in Tieline, or the item that KithKit itself uses.
///
/// # Errors
/// `LAN_UNAVAILABLE` where there is none, and the vault's problem where it cannot be read.
pub(in crate::dialect) async fn secret(node: &Node) -> Result<Secret, Problem> {
    let found = {
        let _turn = node.lan_secret.turn.lock().await;
        look(node).await?
    };
    found.ok_or_else(|| {
        Problem::new(Code::LanUnavailable)
            .summary("Agent comms secret not found in Keychain.")
            .because(format!(
                "KithKit peers need the shared secret {LAN_SECRET}, and this vault has none."
            ))
            .remedy(format!(
                "Run `tieline secrets set {LAN_SECRET}` and give the secret of the other machines."
            ))
    })
}

/// The secret for a message that arrives, `None` where there is none: as the vault said a short
/// while ago, if it did.
///
/// # Errors
/// The vault's problem where it cannot be read.
pub(in crate::dialect) async fn secret_lately(node: &Node) -> Found {
    if let Some(found) = node.lan_secret.lately() {
        return found;
    }
    let _turn = node.lan_secret.turn.lock().await;
    // Somebody else may have looked meanwhile.
    match node.lan_secret.lately() {
        Some(found) => found,
        None => look(node).await,
    }
}

async fn look(node: &Node) -> Found {
    let before = node.lan_secret.changes.load(Ordering::SeqCst);
    let vault = Arc::clone(&node.vault);
    let read = tokio::task::spawn_blocking(move || {
        match vault.get(&crate::secrets::item(LAN_SECRET))? {
            Some(secret) => Ok(Some(secret)),
            None => vault.foreign(LAN_SECRET, None),
        }
    });
    let read = read
        .await
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    let found = match read {
        Ok(found) => Ok(found),
        // A machine without a keychain, such as a server, has no item of KithKit's either.
        Err(VaultError::Absent { .. }) => Ok(None),
        Err(error) => {
            let mut problem = Problem::from(error);
            problem.code = Code::LanUnavailable;
            Err(problem)
        }
    };
    let mut known = node.lan_secret.known.lock();
    if node.lan_secret.changes.load(Ordering::SeqCst) == before {
        *known = Some((Instant::now(), found.clone()));
    }
    found
}
