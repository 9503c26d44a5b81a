//! A panel that takes tray items, reads their menus and clicks in them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Proxy, Structure, Variant, interface};

/// Longest wait for the tray to become what a test expects.
const PATIENCE: Duration = Duration::from_secs(60);
const ITEM: &str = "org.kde.StatusNotifierItem";

/// The panel.
pub(crate) struct Panel {
    connection: Connection,
    registered: watch::Receiver<Option<Address>>,
}

/// Where an item is on the bus.
#[derive(Debug, Clone)]
struct Address {
    bus_name: String,
    path: String,
}

impl Panel {
    /// A panel, or with `shows` false none at all.
    pub(crate) async fn new(connection: &Connection, shows: bool) -> Self {
        let (tell, registered) = watch::channel(None);
        if !shows {
            return Self {
                connection: connection.clone(),
                registered,
            };
        }
        let watcher = Watcher { tell };
        connection
            .object_server()
            .at("/StatusNotifierWatcher", watcher)
            .await
            .expect("the object");
        connection
            .request_name("org.kde.StatusNotifierWatcher")
            .await
            .expect("the name");
        Self {
            connection: connection.clone(),
            registered,
        }
    }

    /// The item of the app, once it is there.
    pub(crate) async fn item(&self) -> TrayItem {
        let mut registered = self.registered.clone();
        let found = tokio::time::timeout(PATIENCE, registered.wait_for(Option::is_some)).await;
        let address = found
            .expect("a tray item in time")
            .expect("the panel runs")
            .clone()
            .expect("it is there");
        TrayItem {
            connection: self.connection.clone(),
            address,
        }
    }
}

struct Watcher {
    tell: watch::Sender<Option<Address>>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: zbus::message::Header<'_>,
    ) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // Ayatana gives the object's path, others the name of their connection.
        let address = match service.starts_with('/') {
            true => Address {
                bus_name: sender,
                path: service,
            },
            false => Address {
                bus_name: service,
                path: "/StatusNotifierItem".to_owned(),
            },
        };
        self.tell.send_replace(Some(address));
    }

    async fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    async fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    async fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    async fn registered_status_notifier_items(&self) -> Vec<String> {
        self.tell
            .borrow()
            .iter()
            .map(|item| format!("{}{}", item.bus_name, item.path))
            .collect()
    }

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// An item in the tray, as the panel sees it.
pub(crate) struct TrayItem {
    connection: Connection,
    address: Address,
}

/// A line of its menu.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    id: i32,
    /// `-` for a separator.
    label: String,
    enabled: bool,
    /// Whether it has a mark, where it can have one.
    chosen: Option<bool>,
    /// The label of the line that opens it; empty at the top.
    within: String,
}

impl TrayItem {
    /// The labels of the menu from the top, without those that others open; separators are `-`.
    pub(crate) async fn labels(&self) -> Vec<String> {
        let lines = self.lines().await.into_iter();
        lines
            .filter(|line| line.within.is_empty())
            .map(|line| line.label)
            .collect()
    }

    /// The labels that a line opens whose own label begins like this.
    pub(crate) async fn inside(&self, begins: &str) -> Vec<String> {
        let lines = self.lines().await.into_iter();
        lines
            .filter(|line| line.within.starts_with(begins) && !line.within.is_empty())
            .map(|line| line.label)
            .collect()
    }

    /// Waits until a line that begins like this opens one that begins like that.
    pub(crate) async fn offers_inside(&self, begins: &str, inside: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.inside(begins).await;
            if shown.iter().any(|label| label.starts_with(inside)) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "expected {inside} in {begins}, which shows {shown:?}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until a line has its mark, or has none.
    pub(crate) async fn marks(&self, label: &str, chosen: bool) {
        let begun = Instant::now();
        loop {
            let lines = self.lines().await;
            let line = lines.iter().find(|line| line.label == label);
            if line.is_some_and(|line| line.chosen == Some(chosen)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{label}: {line:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the menu has these labels.
    pub(crate) async fn shows<const N: usize>(&self, labels: [&str; N]) {
        self.wait(|shown| shown == labels, &format!("{labels:?}"))
            .await;
    }

    /// Waits until the menu has this label.
    pub(crate) async fn offers(&self, label: &str) {
        self.wait(|shown| shown.iter().any(|one| one == label), label)
            .await;
    }

    async fn wait(&self, fits: impl Fn(&[String]) -> bool, expected: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.labels().await;
            if fits(&shown) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "expected {expected}, the menu shows {shown:?}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Clicks the line with this label. A menu that the app puts another in the place of while the
    /// pointer comes does not take the click; then it is clicked again, as a person would.
    pub(crate) async fn click(&self, label: &str) {
        self.click_inside("", label).await;
    }

    /// The same for a line that another opens whose label begins like this.
    pub(crate) async fn click_inside(&self, begins: &str, label: &str) {
        let begun = Instant::now();
        loop {
            let lines = self.lines().await;
            let wanted = |line: &&Line| {
                line.label == label
                    && line.within.starts_with(begins)
                    && line.within.is_empty() == begins.is_empty()
            };
            let Some(line) = lines.iter().find(wanted) else {
                assert!(
                    begun.elapsed() < PATIENCE,
                    "no {label} in {begins}: {lines:?}"
                );
                tokio::time::sleep(Duration::from_millis(30)).await;
                continue;
            };
            assert!(line.enabled, "{label} cannot be clicked");
            let menu = self.menu().await;
            let click = (line.id, "clicked", Variant::from(""), 0_u32);
            match menu.call_method("Event", &click).await {
                Ok(_) => return,
                Err(gone) => assert!(
                    begun.elapsed() < PATIENCE,
                    "{label} does not take a click: {gone}"
                ),
            }
        }
    }

    /// The picture in the tray, as the bytes of its PNG file. The file goes when the app puts
    /// another picture in its place; then the new one is read.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let begun = Instant::now();
        loop {
            let file: String = self
                .item()
                .await
                .get_property("IconName")
                .await
                .expect("a picture");
            match std::fs::read(&file) {
                Ok(picture) => return picture,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{file}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The menu from the top. Empty for the moment in which the app puts another in its place.
    async fn lines(&self) -> Vec<Line> {
        let all = (0_i32, -1_i32, Vec::<String>::new());
        let Ok(answer) = self.menu().await.call_method("GetLayout", &all).await else {
            return Vec::new();
        };
        type Entry = (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>);
        let (_, (_, _, children)): (u32, Entry) = answer.body().deserialize().expect("a layout");
        let mut lines = Vec::new();
        for child in children {
            add(child, "", &mut lines);
        }
        lines
    }

    async fn item(&self) -> Proxy<'_> {
        self.proxy(self.address.path.clone(), ITEM).await
    }

    async fn menu(&self) -> Proxy<'_> {
        let path: OwnedObjectPath = self
            .item()
            .await
            .get_property("Menu")
            .await
            .expect("a menu");
        self.proxy(path.to_string(), "com.canonical.dbusmenu").await
    }

    async fn proxy(&self, path: String, interface: &'static str) -> Proxy<'_> {
        zbus::proxy::Builder::new(&self.connection)
            .destination(self.address.bus_name.clone())
            .path(path)
            .interface(interface)
            // Its properties change without a signal.
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .expect("a proxy")
    }
}

/// Adds an entry, and after it those it opens.
fn add(child: OwnedVariant, within: &str, lines: &mut Vec<Line>) {
    let structure = Structure::try_from(child).expect("an entry");
    let (id, properties, children): (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>) =
        structure.try_into().expect("an entry");
    let text = |name: &str| {
        properties
            .get(name)
            .and_then(|value| <&str>::try_from(value).ok())
    };
    let label = match text("type") {
        Some("separator") => "-".to_owned(),
        // One underline marks a shortcut, two are one.
        _ => text("label").unwrap_or_default().replace("__", "_"),
    };
    let enabled = properties
        .get("enabled")
        .and_then(|value| bool::try_from(value).ok())
        .unwrap_or(true);
    let chosen = text("toggle-type").map(|_| {
        let state = properties.get("toggle-state");
        state.and_then(|state| i32::try_from(state).ok()) == Some(1)
    });
    lines.push(Line {
        id,
        label: label.clone(),
        enabled,
        chosen,
        within: within.to_owned(),
    });
    for child in children {
        add(child, &label, lines);
    }
}
