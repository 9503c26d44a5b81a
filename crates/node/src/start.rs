//! Starting and stopping the engine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tieline_store::{Store, messages, peers, settings};
use tieline_vault::Vault;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api_token;
use crate::ask::{self, Brakes, Desk, Waiting};
use crate::asleep;
use crate::clock::{ElapsedClock, Instant, wall_now};
use crate::dialect::LanSecret;
use crate::dialect::abtars;
use crate::dialect::kithkit_lan::{self, LanListener};
use crate::events::EventBus;
use crate::gate::Gate;
use crate::handover;
use crate::home::Home;
use crate::identity::Identity;
use crate::listener;
use crate::model::ShutdownReport;
use crate::naming::NAME;
use crate::network;
use crate::node::{Engine, Node, NodeConfig};
use crate::outbox::{self, CLOCK};
use crate::pairing::{self, Book};
use crate::peers::Peers;
use crate::preferences::Kept;
use crate::retention;
use crate::tls::server_config;
use crate::trial;
use crate::views::unsigned;

/// How long a graceful stop waits for what is in progress.
const GRACE: Duration = Duration::from_secs(5);
/// Setting that says that this database belongs to an identity, so that a lost one is noticed.
const IDENTITY: &str = "identityKeyId";

impl Node {
    /// Starts: locks the home, opens vault and database, binds the peer listener.
    ///
    /// # Errors
    /// `HOME_LOCKED`, `HOME_UNWRITABLE`, `PORT_IN_USE`, `PORT_DENIED`, the vault's, the store's, and
    /// `IDENTITY_MISSING` where the database is of a node whose keys the vault does not have.
    pub async fn start(config: NodeConfig) -> Result<Self, Problem> {
        let opening = tokio::task::spawn_blocking(move || open(config));
        let opened = opening
            .await
            .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
        let Opened {
            config,
            home,
            vault,
            identity,
            store,
            name,
            clock,
            problems,
            check_pending,
            is_another,
        } = opened?;
        let listening = listen(config.peer_addr, &identity).await;
        let (socket, peer_addr, tls) = closing(&store, listening).await?;
        let preferences = closing(&store, Kept::load(&store).await).await?;
        let token_turn = closing(&store, api_token::Turn::load(&store, is_another).await).await?;
        let node = Self::from_engine(Engine {
            home,
            host: config.host,
            version: config.version,
            name: Mutex::new(name),
            identity,
            vault: Arc::new(vault),
            store,
            peers: Peers::default(),
            preferences,
            changing: tokio::sync::Mutex::default(),
            token_turn,
            invites: Book::default(),
            events: EventBus::default(),
            gate: Gate::default(),
            clock,
            peer_addr,
            api_addr: Mutex::default(),
            listening: Mutex::default(),
            former_names: Mutex::default(),
            problems: Mutex::new(problems),
            started: Instant::now(),
            started_at: wall_now(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            waiting_asks: Waiting::default(),
            desk: Desk::default(),
            brakes: Brakes::default(),
            serving: Mutex::default(),
            default_hook: Mutex::default(),
            lan_secret: LanSecret::default(),
            kithkit_lan: LanListener::default(),
            trial: tokio::sync::Mutex::default(),
            abtars: abtars::State::default(),
            arrived: Notify::new(),
            settled: Notify::new(),
        });
        let taken_up = take_up(&node).await;
        if taken_up.is_err() {
            node.stop.cancel();
        }
        closing(&node.store, taken_up).await?;
        node.tasks.spawn(listener::run(node.clone(), socket, tls));
        node.tasks.spawn(outbox::upkeep(node.clone()));
        node.tasks.spawn(network::watch(node.clone()));
        node.tasks.spawn(retention::watch(node.clone()));
        if check_pending {
            node.tasks.spawn(check(node.clone()));
        }
        Ok(node)
    }

    /// Stops: takes nothing new, lets what is in progress end, and says what still waits.
    pub async fn shutdown(&self) -> ShutdownReport {
        if let Err(problem) = self.end_trial().await {
            tracing::warn!(%problem, "ending the trial failed");
        }
        asleep::say(self).await;
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some tasks did not end in time");
        }
        // What a stopped attempt left as being sent is queued, or unconfirmed, from here on.
        if let Err(problem) = outbox::recover(self).await {
            tracing::warn!(%problem, "settling what was being sent failed");
        }
        let elapsed = self.clock.now();
        let saved = self
            .store
            .write(move |tx| settings::set(tx, CLOCK, &(elapsed, wall_now().0)));
        if let Err(error) = saved.await {
            tracing::warn!(%error, "keeping the elapsed clock failed");
        }
        let mut report = ShutdownReport::default();
        for (_, open) in self.store.read(messages::counts).await.unwrap_or_default() {
            report.queued += unsigned(open.queued);
            report.unconfirmed += unsigned(open.unconfirmed + open.sending);
        }
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "closing the database failed");
        }
        report
    }
}

/// Checks a large database while the node already serves.
async fn check(node: Node) {
    if let Err(error) = node.store.check().await {
        tracing::error!(%error, "the database is damaged");
        node.alert(error.into());
    }
}

struct Opened {
    check_pending: bool,
    /// Whether the database is not the one of the last run.
    is_another: bool,
    config: NodeConfig,
    home: Home,
    vault: Vault,
    identity: Identity,
    store: Store,
    name: String,
    clock: ElapsedClock,
    problems: Vec<Problem>,
}

/// Where the peer listener is bound, and its TLS.
async fn listen(
    address: SocketAddr,
    identity: &Identity,
) -> Result<(TcpListener, SocketAddr, Arc<rustls::ServerConfig>), Problem> {
    let socket = listener::bind(address).await?;
    let bound = socket
        .local_addr()
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    Ok((socket, bound, server_config(identity)?))
}

/// Takes up what the last run left: messages, invites, peers, questions.
async fn take_up(node: &Node) -> Result<(), Problem> {
    outbox::recover(node).await?;
    pairing::restore(node).await?;
    tokio::spawn(node.events.clone().run());
    handover::restore(node).await?;
    let rows = node.store.read(|conn| peers::list(conn, false)).await?;
    trial::clear(node, &rows).await?;
    for row in rows.into_iter().filter(|row| !trial::is_trial(row)) {
        node.put_peer(row);
    }
    abtars::restore(node).await?;
    ask::settle_interrupted(node).await?;
    kithkit_lan::restore(node).await
}

/// Closes the database where a start fails after it was opened, so that the next start does not
/// meet one that is still closing.
async fn closing<T, E>(store: &Store, outcome: Result<T, E>) -> Result<T, E> {
    if outcome.is_err()
        && let Err(error) = store.close().await
    {
        tracing::warn!(%error, "closing the database failed");
    }
    outcome
}

/// The blocking part: files, keychain, database.
fn open(config: NodeConfig) -> Result<Opened, Problem> {
    let home = Home::open(&config.home, config.host)?;
    let vault = Vault::open(&config.vault, home.path()).map_err(Problem::from)?;
    let (store, report) = Store::open(home.database())?;
    let runtime = tokio::runtime::Handle::current();
    let read = read(&config, &vault, &store);
    let (identity, name, clock) = runtime.block_on(closing(&store, read))?;
    let mut problems = Vec::new();
    if report.restored {
        problems.push(
            Problem::new(Code::StoreRestored).summary("The database was put back from a copy."),
        );
    }
    if report.lost {
        problems.push(
            Problem::new(Code::StoreRestored)
                .summary("The database is new, although there was one in this home before.")
                .because("Somebody removed the file tieline.db.")
                .remedy("Put it back from a copy while Tieline is stopped, or pair your machines again."),
        );
    }
    if let Some(backup) = &report.backup {
        tracing::info!(backup = %backup.display(), "the database was converted; the old one is kept");
    }
    Ok(Opened {
        check_pending: report.check_pending,
        is_another: report.restored || report.lost,
        config,
        home,
        vault,
        identity,
        store,
        name,
        clock,
        problems,
    })
}

/// The identity, the name and the elapsed clock, as vault and database have them.
fn read(
    config: &NodeConfig,
    vault: &Vault,
    store: &Store,
) -> Result<(Identity, String, ElapsedClock), Problem> {
    let runtime = tokio::runtime::Handle::current();
    let (known, remembered, clock): (Option<String>, Option<String>, Option<(i64, i64)>) = runtime
        .block_on(store.read(|conn| {
            Ok((
                settings::get(conn, IDENTITY)?,
                settings::get(conn, NAME)?,
                settings::get(conn, CLOCK)?,
            ))
        }))?;
    let name = config
        .name
        .clone()
        .or(remembered.clone())
        .unwrap_or_else(host_name);
    let name = tieline_wire::name::tidy(&name);
    let identity = match (Identity::load(vault)?, known) {
        (Some(identity), Some(known)) if identity.signing.key_id().to_string() != known => {
            return Err(Problem::new(Code::IdentityMissing).because(
                "The database in this home belongs to another identity than the one in the vault.",
            ));
        }
        (Some(identity), _) => identity,
        (None, Some(_)) => return Err(Problem::new(Code::IdentityMissing)),
        (None, None) => Identity::create(vault, &name)?,
    };
    let key_id = identity.signing.key_id().to_string();
    let saved_name = name.clone();
    runtime.block_on(store.write(move |tx| {
        settings::set(tx, IDENTITY, &key_id)?;
        settings::set(tx, NAME, &saved_name)
    }))?;
    let clock = clock.map(|(elapsed, wall)| (elapsed, UnixMillis(wall)));
    Ok((identity, name, ElapsedClock::resume(clock, wall_now())))
}

/// The machine's own name, without its domain.
pub(crate) fn host_name() -> String {
    let name = hostname::get()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_default();
    let short = name.split('.').next().unwrap_or_default().to_owned();
    if short.is_empty() {
        "tieline".into()
    } else {
        short
    }
}
