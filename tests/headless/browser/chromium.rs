//! A headless Chromium, driven by the WebDriver protocol and, where that has no word for it, by the
//! browser's own (CDP).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::webdriver::Session;
use crate::harness::{skip, wait};

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A browser with a profile of its own.
#[derive(Debug)]
pub(crate) struct Chromium {
    session: Session,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it; none where this machine has none.
    pub(crate) fn start() -> Option<Self> {
        let browser = ["chromium", "chromium-browser", "google-chrome"];
        let Some((browser, driver)) = browser
            .iter()
            .find_map(|name| program(name))
            .zip(program("chromedriver"))
        else {
            skip("no Chromium with its driver here; `cargo xtask setup` installs both");
            return None;
        };
        let profile = TempDir::new().expect("a profile");
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": browser,
                "args": [
                    "--headless=new",
                    // The suite runs as root where it may; Chromium's sandbox does not.
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--no-first-run",
                    "--force-device-scale-factor=1",
                    "--hide-scrollbars",
                    format!("--user-data-dir={}", profile.path().display()),
                ],
            },
        });
        Some(Self {
            session: Session::start(Command::new(driver), &capabilities),
            _profile: profile,
        })
    }

    /// Goes to an address.
    pub(crate) fn open(&self, url: &str) {
        self.session.order("/url", &json!({ "url": url }));
    }

    /// Opens another tab and goes there; gives its handle.
    pub(crate) fn new_tab(&self) -> String {
        let tab = self.session.order("/window/new", &json!({ "type": "tab" }));
        let handle = tab["handle"].as_str().expect("a handle").to_owned();
        self.to_tab(&handle);
        handle
    }

    /// The tab that is in front.
    pub(crate) fn tab(&self) -> String {
        let tab = self.session.ask("GET", "/window", &Value::Null);
        tab.expect("a tab").as_str().expect("a handle").to_owned()
    }

    /// Brings a tab to the front.
    pub(crate) fn to_tab(&self, handle: &str) {
        self.session.order("/window", &json!({ "handle": handle }));
        self.cdp("Page.bringToFront", &json!({}));
    }

    /// The size of the page in CSS pixels, and its theme; motion is off, so that pictures are alike.
    pub(crate) fn present(&self, width: u32, height: u32, theme: Theme) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.cdp("Emulation.setEmulatedMedia", &features);
    }

    /// What a script gives back. It ends with `return`.
    #[track_caller]
    pub(crate) fn evaluate(&self, script: &str) -> Value {
        self.session.evaluate(script)
    }

    /// The same for a script that calls the last of its arguments with its result.
    #[track_caller]
    pub(crate) fn evaluate_async(&self, script: &str) -> Value {
        self.session.evaluate_async(script)
    }

    /// What the page says, for people.
    pub(crate) fn text(&self) -> String {
        let text = self.evaluate("return document.body.innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says this.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.when(&format!("{text:?} on the page"), || {
            self.text().contains(text)
        });
    }

    #[track_caller]
    fn when(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        wait::until(what, PATIENCE * 2, || {
            let so = is_so();
            if !so && begun.elapsed() > PATIENCE {
                panic!("{what} did not come. The page says:\n{}", self.text());
            }
            so.then_some(())
        });
    }

    /// Presses keys one after the other; a chord is given with its modifier first.
    pub(crate) fn press(&self, keys: &[char]) {
        let mut actions: Vec<Value> = Vec::new();
        for key in keys {
            actions.push(json!({ "type": "keyDown", "value": key }));
        }
        for key in keys.iter().rev() {
            actions.push(json!({ "type": "keyUp", "value": key }));
        }
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.session
            .order("/actions", &json!({ "actions": [keyboard] }));
    }

    /// A picture of the page as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let encoded = self.session.ask("GET", "/screenshot", &Value::Null);
        let encoded = encoded.expect("a picture");
        let encoded = encoded.as_str().expect("a picture in base64");
        let standard = base64::engine::general_purpose::STANDARD;
        standard.decode(encoded).expect("a picture")
    }

    fn cdp(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.session.order("/goog/cdp/execute", &body)
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| Path::new(file).is_file())
}
