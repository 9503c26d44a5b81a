//! A desktop of its own for one test: display, session bus, panel, notification service, home.

mod bus;
mod clipboard;
mod display;
mod keyring;
mod line;
mod notifications;
mod panel;
mod process;

pub(crate) use display::Frame;
pub(crate) use line::pair;
pub(crate) use notifications::Notification;
pub(crate) use panel::TrayItem;
pub(crate) use process::App;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::http::Request;

use self::bus::SessionBus;
use self::display::Display;
use self::keyring::Keyring;
use self::notifications::Notifications;
use self::panel::Panel;

/// Everything of it ends with it.
pub(crate) struct Desk {
    display: Display,
    bus: SessionBus,
    panel: Panel,
    notifications: Notifications,
    _keyring: Option<Keyring>,
    directory: TempDir,
    vault: &'static str,
    /// What the machine under test calls itself.
    name: &'static str,
}

impl Desk {
    /// Sets one up.
    pub(crate) async fn new() -> Self {
        Self::set_up(true).await
    }

    /// Sets one up whose desktop shows no tray icons, as GNOME without an extension.
    pub(crate) async fn without_tray_host() -> Self {
        Self::set_up(false).await
    }

    async fn set_up(shows_tray: bool) -> Self {
        let directory = TempDir::with_prefix("tieline-desk-").expect("a temporary directory");
        let display = Display::start();
        let bus = SessionBus::start(directory.path());
        let connection = bus.connect().await;
        Self {
            panel: Panel::new(&connection, shows_tray).await,
            notifications: Notifications::serve(&connection).await,
            display,
            bus,
            _keyring: None,
            directory,
            vault: "file",
            name: "mac",
        }
    }

    /// The same for a machine of another name.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The same with secrets in a keychain of its own, a real Secret Service.
    pub(crate) async fn with_keychain(mut self) -> Self {
        let command = self.command(Path::new("gnome-keyring-daemon"));
        let bus = self.bus.connect().await;
        self._keyring = Some(Keyring::start(command, &bus).await);
        self.vault("keychain")
    }

    /// The same with another vault than the file.
    pub(crate) fn vault(mut self, vault: &'static str) -> Self {
        self.vault = vault;
        self
    }

    /// The home of the app under test.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Starts the app with these arguments beside the ones that every test needs.
    pub(crate) fn start<const N: usize>(&self, arguments: [&str; N]) -> App {
        self.start_with(&arguments)
    }

    /// Starts the app as the desktop does for a link that was clicked.
    pub(crate) fn start_for_link(&self, link: &str, more: &[&str]) -> App {
        let mut command = self.command(&app_program());
        command
            .env("TIELINE_HOME", self.home())
            .arg(link)
            .args(more);
        App::start(command, &self.directory.path().join("app.log"))
    }

    /// The same with arguments that the test made.
    pub(crate) fn start_with(&self, arguments: &[&str]) -> App {
        let mut command = self.command(&app_program());
        command.args(self.arguments()).args(arguments);
        App::start(command, &self.directory.path().join("app.log"))
    }

    /// Home, name, and addresses that nothing else uses.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let home = self.home().display().to_string();
        [
            "--home",
            &home,
            "--name",
            self.name,
            "--peer-addr",
            "127.0.0.1:0",
            "--api-addr",
            "127.0.0.1:0",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// A command that sees this desktop and nothing of the caller's.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let own = |name: &str| self.directory.path().join(name);
        let runtime = own("runtime");
        std::fs::create_dir_all(&runtime).expect("a runtime directory");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", own("user"))
            .env("XDG_RUNTIME_DIR", runtime)
            .env("DISPLAY", self.display.name())
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            .env("LANG", "C.UTF-8")
            // The accessibility bus would be a second bus, started for every test.
            .env("NO_AT_BRIDGE", "1")
            .env("TIELINE_VAULT", self.vault);
        command
    }

    /// What the app has put into the tray, once it has.
    pub(crate) async fn tray(&self) -> TrayItem {
        self.panel.item().await
    }

    /// The next notification.
    pub(crate) async fn notification(&self) -> Notification {
        self.notifications.next().await
    }

    /// Clicks a notification's body.
    pub(crate) async fn click(&self, notification: &Notification) {
        self.notifications.answer(notification, "default").await;
    }

    /// Clicks the button of a notification that has this key.
    pub(crate) async fn answer(&self, notification: &Notification, key: &str) {
        self.notifications.answer(notification, key).await;
    }

    /// What a command on the app's home prints.
    pub(crate) fn tieline(&self, arguments: &[&str]) -> String {
        let mut command = self.command(&crate::harness::tieline_program());
        command.arg("--home").arg(self.home()).args(arguments);
        let output = command.output().expect("tieline runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The user's own directory on this desktop.
    pub(crate) fn user_home(&self) -> PathBuf {
        self.directory.path().join("user")
    }

    /// Whether a window of the app can be seen.
    pub(crate) fn window_is_visible(&self) -> bool {
        self.display.window("Tieline").is_some()
    }

    /// What the app's window shows, if there is one.
    pub(crate) fn frame(&self) -> Option<Frame> {
        self.display.frame(self.display.window("Tieline")?)
    }

    /// The person has seen the welcome before.
    pub(crate) fn welcomed(&self) {
        let socket = self.home().join("control.sock");
        let request = Request::over_socket(socket, "POST", "/control/welcomed");
        let answer = request.json(&serde_json::json!({})).send();
        assert!(answer.status < 300, "{answer:?}");
    }

    /// Closes the app's window as a window manager would.
    pub(crate) fn close_window(&self) {
        let window = self.display.window("Tieline").expect("a window");
        self.display.close(window);
    }

    /// The text on the clipboard.
    pub(crate) fn clipboard(&self) -> String {
        self.display.clipboard()
    }

    /// Puts text on the clipboard.
    pub(crate) fn put_on_clipboard(&self, text: &str) {
        self.display.put_on_clipboard(text);
    }
}

/// The app under test.
pub(crate) fn app_program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_tieline-desktop"))
}
