//! The lab: three network namespaces, made for one test and removed with it.
//!
//! ```text
//! mac 10.77.0.1 ---- 10.77.0.254 router 172.29.0.1 ---- 172.29.0.2 wsl
//! ```
//!
//! The router gives `wsl` its own address towards `mac`, and lets nothing in that `wsl` has not
//! begun. No interface and no rule is made outside of the three namespaces.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::skip;

/// One of the namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Mac,
    Router,
    Wsl,
}

/// Address of the machine that can be dialled.
pub(super) const MAC: &str = "10.77.0.1";
/// Address under which the hidden machine is seen.
pub(super) const ROUTER: &str = "10.77.0.254";
/// Address of the hidden machine in its own network.
pub(super) const WSL: &str = "172.29.0.2";
/// Address of the router there.
const GATEWAY: &str = "172.29.0.1";

/// What names of namespaces begin with; then follow the test process and a number.
const PREFIX: &str = "tieline";

/// nft wants one statement a line.
const RULES: &str = "
table ip hide {
  chain translate {
    type nat hook postrouting priority 100; policy accept;
    oifname \"outer\" masquerade
  }
  chain pass {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname \"inner\" accept
  }
}
";

impl Place {
    const ALL: [Self; 3] = [Self::Mac, Self::Router, Self::Wsl];

    /// What the machine there calls itself.
    pub(super) const fn machine(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Router => "router",
            Self::Wsl => "wsl",
        }
    }
}

/// Three namespaces with their links, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Lab {
    name: String,
}

impl Lab {
    /// Makes the lab; where this user may not, notes the test as skipped and gives `None`.
    pub(super) fn build() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Dropped, and its namespaces removed, also when a step below fails.
        let lab = Self {
            name: format!("{PREFIX}-{}-{number}", std::process::id()),
        };
        if let Err(why) = run("ip", &["netns", "add", &lab.namespace(Place::Mac)], "") {
            skip(&format!("network namespaces need root: {why}"));
            return None;
        }
        lab.connect();
        Some(lab)
    }

    fn connect(&self) {
        let [mac, router, wsl] = Place::ALL.map(|place| self.namespace(place));
        must("ip", &["netns", "add", &router], "");
        must("ip", &["netns", "add", &wsl], "");
        for (outside, name) in [(&mac, "outer"), (&wsl, "inner")] {
            let link = ["-n", outside, "link", "add", "eth0", "type", "veth"];
            let end = ["peer", "name", name, "netns", &router];
            must("ip", &[&link[..], &end[..]].concat(), "");
        }
        for (place, link, address) in [
            (&mac, "eth0", MAC),
            (&router, "outer", ROUTER),
            (&router, "inner", GATEWAY),
            (&wsl, "eth0", WSL),
        ] {
            let address = format!("{address}/24");
            must(
                "ip",
                &["-n", place, "addr", "add", &address, "dev", link],
                "",
            );
            must("ip", &["-n", place, "link", "set", link, "up"], "");
            must("ip", &["-n", place, "link", "set", "lo", "up"], "");
        }
        // The way to the hidden network is known; that nothing comes in is the router's doing.
        for (place, gateway) in [(&mac, ROUTER), (&wsl, GATEWAY)] {
            must(
                "ip",
                &["-n", place, "route", "add", "default", "via", gateway],
                "",
            );
        }
        let forward = ["sysctl", "-qw", "net.ipv4.ip_forward=1"];
        self.inside(Place::Router, &forward, "").unwrap();
        self.inside(Place::Router, &["nft", "-f", "-"], RULES)
            .unwrap();
    }

    /// The name of a namespace.
    pub(super) fn namespace(&self, place: Place) -> String {
        format!("{}-{}", self.name, place.machine())
    }

    /// Runs a program in a namespace. What it printed, or why it failed.
    pub(super) fn inside(
        &self,
        place: Place,
        command: &[&str],
        stdin: &str,
    ) -> Result<String, String> {
        let namespace = self.namespace(place);
        run(
            "ip",
            &[&["netns", "exec", &namespace], command].concat(),
            stdin,
        )
    }

    /// Takes the link between `mac` and the router away. `wsl` cannot see that: its own link is up.
    pub(super) fn cut(&self) {
        self.set_link("down");
    }

    /// Puts it back.
    pub(super) fn mend(&self) {
        self.set_link("up");
    }

    /// Takes the hidden machine's own link away, which it can see.
    pub(super) fn unplug(&self) {
        self.in_wsl(&["link", "set", "eth0", "down"]);
    }

    /// Puts it back, with the route that went with it.
    pub(super) fn plug_in(&self) {
        self.in_wsl(&["link", "set", "eth0", "up"]);
        self.in_wsl(&["route", "add", "default", "via", GATEWAY]);
    }

    /// Gives the hidden machine another address in place of its own.
    pub(super) fn renumber(&self) {
        self.in_wsl(&["addr", "add", "172.29.0.99/24", "dev", "eth0"]);
        self.in_wsl(&["addr", "del", &format!("{WSL}/24"), "dev", "eth0"]);
        self.in_wsl(&["addr", "replace", "172.29.0.99/24", "dev", "eth0"]);
        self.in_wsl(&["route", "replace", "default", "via", GATEWAY]);
    }

    fn in_wsl(&self, arguments: &[&str]) {
        let wsl = self.namespace(Place::Wsl);
        must("ip", &[&["-n", &wsl], arguments].concat(), "");
    }

    fn set_link(&self, state: &str) {
        let router = self.namespace(Place::Router);
        must("ip", &["-n", &router, "link", "set", "outer", state], "");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for place in Place::ALL {
            // A lab that was half built lacks some.
            let _ = run("ip", &["netns", "del", &self.namespace(place)], "");
        }
    }
}

/// Removes the namespaces of test processes that were killed.
fn remove_leftovers() {
    for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut words = name.split('-');
        let (Some(PREFIX), Some(pid)) = (words.next(), words.next()) else {
            continue;
        };
        if pid.parse::<u32>().is_ok() && !fs::exists(format!("/proc/{pid}")).unwrap_or(true) {
            let _ = run("ip", &["netns", "del", &name], "");
        }
    }
}

#[track_caller]
fn must(program: &str, arguments: &[&str], stdin: &str) {
    if let Err(why) = run(program, arguments, stdin) {
        panic!("{program} {}: {why}", arguments.join(" "));
    }
}

fn run(program: &str, arguments: &[&str], stdin: &str) -> Result<String, String> {
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| error.to_string())?;
    if let Some(mut pipe) = child.stdin.take() {
        let _ = pipe.write_all(stdin.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{}: {}", output.status, text(&output.stderr)))
    }
}
