//! The person's choice of hooks, and how they do.

use std::sync::Arc;

use tieline_store::peers::{self, PeerId};
use tieline_store::{StoreError, handovers, settings};
use tieline_wire::problem::{Code, Problem};

use super::document::Document;
use super::run::{check, run};
use crate::clock::{Instant, millis};
use crate::model::{EventKind, Hook, HookTrial, HookView};
use crate::node::Node;
use crate::pairing::set_option;
use crate::peers::Peer;
use crate::secrets;

/// Setting with the hook of peers that have none of their own.
const DEFAULT: &str = "hook";
/// Option of a peer with its own.
const OPTION: &str = "hook";
/// Characters of a hook's output that a person is shown.
const MAX_SHOWN: usize = 2_000;

/// What takes a peer's messages now.
pub(crate) fn hook_of(node: &Node, peer: &Peer) -> Hook {
    own_hook(peer).unwrap_or_else(|| node.default_hook.lock().clone())
}

fn own_hook(peer: &Peer) -> Option<Hook> {
    let record = peer.record();
    let value = record.row.options.get(OPTION)?.clone();
    serde_json::from_value(value).ok()
}

/// Takes up the default of the last run.
///
/// # Errors
/// Those of the store.
pub(crate) async fn restore(node: &Node) -> Result<(), Problem> {
    let hook: Option<Hook> = node.store.read(|conn| settings::get(conn, DEFAULT)).await?;
    *node.default_hook.lock() = hook.unwrap_or_default();
    Ok(())
}

impl Node {
    /// The default, then every peer's hook.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn hooks(&self) -> Result<Vec<HookView>, Problem> {
        let mut views = vec![self.default_hook_view()];
        for peer in self.peers.all() {
            views.push(self.hook_view(&peer).await?);
        }
        Ok(views)
    }

    /// A peer's hook, or the default.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn hook(&self, peer: Option<&str>) -> Result<HookView, Problem> {
        match peer {
            Some(name) => self.hook_view(&*self.peer_named(name)?).await,
            None => Ok(self.default_hook_view()),
        }
    }

    /// Chooses a peer's hook, or the default. Messages that come from now on go to it; where
    /// nothing takes a peer's messages any more, those that wait stay in the inbox.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a hook that cannot work, `SECRET_NOT_FOUND`, and
    /// the store's.
    pub async fn set_hook(&self, peer: Option<&str>, hook: Hook) -> Result<HookView, Problem> {
        self.check_hook(&hook).await?;
        match peer {
            None => {
                let stored = hook.clone();
                self.store
                    .write(move |tx| settings::set(tx, DEFAULT, &stored))
                    .await?;
                *self.default_hook.lock() = hook;
            }
            Some(name) => {
                let id = self.peer_named(name)?.id;
                let value = serde_json::json!(hook);
                self.change_peer(id, move |tx| set_option(tx, id, OPTION, value))
                    .await?;
            }
        }
        self.hooks_changed().await?;
        self.hook(peer).await
    }

    /// Lets the default take a peer's messages again.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn remove_hook(&self, peer: &str) -> Result<HookView, Problem> {
        let id = self.peer_named(peer)?.id;
        self.change_peer(id, move |tx| clear(tx, id)).await?;
        self.hooks_changed().await?;
        self.hook(Some(peer)).await
    }

    /// Takes up again what was given up, and tries at once what waits.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn retry_hook(&self, peer: &str) -> Result<HookView, Problem> {
        let peer = self.peer_named(peer)?;
        let id = peer.id;
        self.store.write(move |tx| handovers::retry(tx, id)).await?;
        self.calm_hook(&peer);
        peer.handing.wake();
        self.hook_view(&peer).await
    }

    /// Gives a hook a message made up for it: the one in force, or one that is not set yet.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a hook that cannot work or where there is none.
    /// That the hook fails is no error here.
    pub async fn try_hook(&self, peer: &str, hook: Option<Hook>) -> Result<HookTrial, Problem> {
        let peer = self.peer_named(peer)?;
        let hook = hook.unwrap_or_else(|| hook_of(self, &peer));
        if hook == Hook::None {
            return Err(Problem::new(Code::InvalidRequest)
                .summary("There is no hook to try.")
                .because("Nothing is set that takes this peer's messages.")
                .remedy("Choose a command or a webhook first."));
        }
        check(&hook)?;
        let document = Document::trial(&peer)?;
        let began = Instant::now();
        let tried = tokio::select! {
            tried = run(self, &hook, document) => tried,
            () = self.stop.cancelled() => return Err(Problem::new(Code::NotRunning)),
        };
        let took_ms = millis(began.elapsed());
        Ok(match tried {
            Ok(output) => {
                let output = String::from_utf8_lossy(&output);
                let shown: String = output.trim_end().chars().take(MAX_SHOWN).collect();
                HookTrial {
                    ok: true,
                    took_ms,
                    output: (!shown.is_empty()).then_some(shown),
                    problem: None,
                }
            }
            Err(failure) => HookTrial {
                ok: false,
                took_ms,
                output: None,
                problem: Some(failure.problem),
            },
        })
    }

    async fn check_hook(&self, hook: &Hook) -> Result<(), Problem> {
        check(hook)?;
        if let Hook::Webhook {
            secret: Some(name), ..
        } = hook
        {
            let item = secrets::item(name);
            let found = self.with_vault(move |vault| vault.get(&item)).await?;
            if found.is_none() {
                return Err(Problem::new(Code::SecretNotFound).with("name", name.as_str()));
            }
        }
        Ok(())
    }

    fn default_hook_view(&self) -> HookView {
        HookView {
            peer: None,
            hook: self.default_hook.lock().clone(),
            is_default: true,
            waiting: 0,
            given_up: 0,
            last_problem: None,
        }
    }

    async fn hook_view(&self, peer: &Peer) -> Result<HookView, Problem> {
        let id = peer.id;
        let (counts, stored) = self
            .store
            .read(move |conn| Ok((handovers::counts(conn, id)?, handovers::problem(conn, id)?)))
            .await?;
        let last = peer.handing.problem.lock().clone();
        Ok(HookView {
            peer: Some(peer.alias()),
            hook: hook_of(self, peer),
            is_default: own_hook(peer).is_none(),
            waiting: counts.waiting,
            given_up: counts.given_up,
            last_problem: last.or_else(|| serde_json::from_value(stored?).ok()),
        })
    }

    /// Every lane looks at its hook again; where there is none any more, nothing waits for it.
    async fn hooks_changed(&self) -> Result<(), Problem> {
        let mut without = Vec::new();
        for peer in self.peers.all() {
            if hook_of(self, &peer) == Hook::None {
                without.push(peer.id);
                self.calm_hook(&peer);
            }
            peer.handing.wake();
        }
        self.store
            .write(move |tx| {
                for id in &without {
                    handovers::discard(tx, *id)?;
                }
                Ok(())
            })
            .await?;
        self.events.changed(EventKind::Settings, DEFAULT);
        Ok(())
    }

    /// The hook is not failing (any more).
    pub(super) fn calm_hook(&self, peer: &Arc<Peer>) {
        *peer.handing.problem.lock() = None;
        for code in [Code::HookFailed, Code::HookTimeout, Code::HookUnreachable] {
            self.calm(code, &peer.alias());
        }
        self.events.changed(EventKind::Peers, peer.alias());
    }
}

fn clear(conn: &rusqlite::Connection, id: PeerId) -> Result<(), StoreError> {
    let mut options = peers::get(conn, id)?
        .ok_or_else(|| StoreError::not_found("peer"))?
        .options;
    if let Some(object) = options.as_object_mut() {
        object.remove(OPTION);
    }
    peers::set_options(conn, id, &options)
}
