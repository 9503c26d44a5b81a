//! A day in the life of three machines: what the pages are shown with.

use std::path::Path;

use serde_json::Value;

use super::chromium::Chromium;
use crate::harness::{Launch, Machine, pair};
use crate::page::serving;

/// Three paired nodes with messages of every kind, and one that knows nobody.
#[derive(Debug)]
pub(crate) struct Scene {
    /// Whose page is looked at. Paired with the two others.
    pub(crate) mac: Machine,
    /// A peer that runs.
    pub(crate) wsl: Machine,
    /// A peer that was torn off the network; something waits for it.
    _server: Machine,
    /// A node on its first day, with a page of its own.
    pub(crate) newcomer: Machine,
    /// A message to wsl-box that arrived.
    delivered: String,
    /// A message to server that did not.
    failed: String,
}

impl Scene {
    /// Sets it up; none where the page was not built. `fixed_ports` makes pictures alike.
    pub(crate) fn set_up(fixed_ports: bool) -> Option<Self> {
        let ports = |launch: Launch, peers: u16, agents: u16| match fixed_ports {
            true => launch
                .peer_addr(format!("127.0.0.1:{peers}"))
                .api_addr(format!("127.0.0.1:{agents}")),
            false => launch,
        };
        let mac = serving(ports(Launch::new("mac"), 3100, 3847).page())?;
        let wsl = ports(Launch::new("wsl-box"), 3101, 3857).start();
        let mut server = ports(Launch::new("server"), 3102, 3867).start();
        let newcomer = ports(Launch::new("laptop"), 3103, 3877).page().start();
        pair(&mac, &wsl);
        pair(&mac, &server);

        mac.tieline(["send", "wsl-box", "Build finished, 214 tests passed."])
            .success();
        wsl.tieline(["send", "mac", "Thanks. Shall I deploy it to staging?"])
            .success();
        mac.tieline(["send", "wsl-box", "Yes, and tell me when it is up."])
            .success();
        wsl.tieline(["send", "mac", "Staging is up: 3 services, all healthy."])
            .success();
        server
            .tieline(["send", "mac", "Nightly backup done: 41 GB in 12 minutes."])
            .success();
        mac.tieline(["send", "server", "Good. Keep the last seven."])
            .success();
        mac.tieline(["responder", "person", "--deadline", "3600"])
            .success();
        wsl.tieline([
            "ask",
            "mac",
            "May I delete the old releases?",
            "--wait",
            "0",
        ])
        .failure(9);
        // As a power cut would: nothing is said any more.
        server.kill();
        mac.tieline(["send", "server", "How full is the disk?"])
            .failure(5);
        mac.tieline([
            "send",
            "server",
            "Restart the indexer when you are back.",
            "--queue",
        ])
        .success();
        mac.tieline_with_stdin(
            ["secrets", "set", "credential-agent-comms-secret"],
            "not-shown-anywhere",
        )
        .success();
        let messages = mac.tieline(["messages", "--json"]).success().json_lines();
        let id = |text: &str| {
            let says = |message: &&Value| {
                message["text"]
                    .as_str()
                    .is_some_and(|said| said.starts_with(text))
            };
            let found = messages
                .iter()
                .find(says)
                .unwrap_or_else(|| panic!("{text} in {messages:?}"));
            found["messageId"].as_str().expect("an id").to_owned()
        };
        Some(Self {
            delivered: id("Build finished"),
            failed: id("How full"),
            mac,
            wsl,
            _server: server,
            newcomer,
        })
    }

    /// A route of the page with this scene's ids in it.
    pub(crate) fn route(&self, route: &str) -> String {
        route
            .replace("{delivered}", &self.delivered)
            .replace("{failed}", &self.failed)
    }

    /// A link that makes a machine a peer of wsl-box.
    pub(crate) fn invite(&self) -> String {
        self.wsl.tieline(["invite"]).success().line()
    }
}

/// Keeps a picture in a directory.
pub(crate) fn keep_picture(browser: &Chromium, directory: &Path, name: &str) {
    std::fs::create_dir_all(directory).expect("the directory");
    std::fs::write(directory.join(format!("{name}.png")), browser.picture()).expect("the picture");
}
