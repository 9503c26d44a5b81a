//! What the node keeps in memory for its abTARS peers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tieline_store::settings;
use tieline_wire::abtars::{MAX_BODY, chat};
use tieline_wire::message::MessageId;
use tieline_wire::problem::Problem;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock::Instant;
use crate::node::Node;

/// The setting.
const SETTING: &str = "abtars";
/// Bodies of the largest size that callers may have under way together before they are known.
const BODIES_AT_ONCE: usize = 8;
/// What room for bodies is counted in, bytes.
pub(super) const BODY_UNIT: usize = 1024;

/// Bodies that one address may have under way before their sender is proven.
const UNPROVEN_PER_ADDRESS: usize = 4;
/// Warnings about refused requests within a minute.
const WARNINGS_A_MINUTE: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// A body that is under way; counted until it is dropped.
pub(super) struct Unproven {
    node: Node,
    from: IpAddr,
}

impl Drop for Unproven {
    fn drop(&mut self) {
        let mut unproven = self.node.abtars.unproven.lock();
        if let Some(count) = unproven.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                unproven.remove(&self.from);
            }
        }
    }
}

/// What the person set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    /// What this machine calls itself among abTARS machines; made from its own name otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `maxHops`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hops: Option<u32>,
    /// What an imported file held besides its peers, sealed, in base64: for exporting it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
}

/// The dialect's part of the node.
pub(crate) struct State {
    settings: Mutex<Settings>,
    /// One change of the settings, or import, at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Room for bodies of callers that have yet to prove who they are.
    pub(super) bodies: Arc<Semaphore>,
    /// Bodies that each address has under way, in the names of peers and not yet proven.
    unproven: Mutex<HashMap<IpAddr, usize>>,
    /// How much was said of refused requests in this minute.
    said: Mutex<Option<(Instant, u32)>>,
    /// Questions to peers that are under way; cancelled when their asker hangs up.
    pub(super) asking: Mutex<HashMap<MessageId, CancellationToken>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            settings: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            bodies: Arc::new(Semaphore::new(BODIES_AT_ONCE * MAX_BODY / BODY_UNIT)),
            unproven: Mutex::default(),
            said: Mutex::default(),
            asking: Mutex::default(),
        }
    }
}

impl State {
    /// Lets an address begin a body whose sender is not proven yet; `None` where it has enough of
    /// them under way.
    pub(super) fn begin_body(node: &Node, from: IpAddr) -> Option<Unproven> {
        let from = from.to_canonical();
        let mut unproven = node.abtars.unproven.lock();
        let count = unproven.entry(from).or_default();
        if *count >= UNPROVEN_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Unproven {
            node: node.clone(),
            from,
        })
    }

    /// Whether a refused request is worth a warning: strangers can cause them at will.
    pub(super) fn may_warn(&self) -> bool {
        let mut said = self.said.lock();
        match said.as_mut() {
            Some((since, count)) if since.elapsed() < MINUTE => {
                *count = count.saturating_add(1);
                *count <= WARNINGS_A_MINUTE
            }
            _ => {
                *said = Some((Instant::now(), 1));
                true
            }
        }
    }

    /// What the person set.
    pub(super) fn settings(&self) -> Settings {
        self.settings.lock().clone()
    }

    /// Hops that a question starts with where its asker says nothing.
    pub(super) fn max_hops(&self) -> u32 {
        self.settings.lock().max_hops.unwrap_or(chat::MAX_HOPS)
    }
}

/// Reads the settings at start.
///
/// # Errors
/// Those of the store.
pub(crate) async fn restore(node: &Node) -> Result<(), Problem> {
    let stored = node.store.read(|conn| settings::get(conn, SETTING)).await?;
    *node.abtars.settings.lock() = stored.unwrap_or_default();
    Ok(())
}

/// Keeps changed settings.
///
/// # Errors
/// Those of the store.
pub(super) async fn save(node: &Node, changed: Settings) -> Result<(), Problem> {
    let stored = changed.clone();
    node.store
        .write(move |tx| settings::set(tx, SETTING, &stored))
        .await?;
    *node.abtars.settings.lock() = changed;
    node.events
        .changed(crate::model::EventKind::Settings, SETTING);
    Ok(())
}
