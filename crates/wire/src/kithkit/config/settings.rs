//! What a configuration says.

use super::edit::{Step, path_text};
use super::tree::{Id, Kind, Node, Tree};
use super::{ConfigError, literal};
use crate::kithkit::Posture;

/// One peer of `agent-comms.peers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigPeer {
    /// Its name; case does not matter.
    pub name: String,
    /// Its host name.
    pub host: String,
    /// The port of its daemon.
    pub port: u16,
    /// Its address, tried before the host name.
    pub ip: Option<String>,
}

/// `daemon.lan`: the second listener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LanListener {
    /// Whether it is on; off by default.
    pub enabled: Option<bool>,
    /// The address it is bound to.
    pub bind_host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// What the file says; `None` is what it does not mention.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `agent.name`, as written; it is in lower case on the wire.
    pub agent_name: Option<String>,
    /// `daemon.port`.
    pub port: Option<u16>,
    /// `daemon.bind_host`.
    pub bind_host: Option<String>,
    /// `daemon.lan`.
    pub lan: LanListener,
    /// `agent-comms.enabled`.
    pub enabled: Option<bool>,
    /// `agent-comms.peers`.
    pub peers: Vec<ConfigPeer>,
    /// `a2a.security.message`; the daemon's default is permissive, and ours is not.
    pub message_posture: Option<Posture>,
    /// `a2a.security.p2p`.
    pub p2p_posture: Option<Posture>,
}

/// Reads the parts that are known here; values of another kind are errors, unknown keys are not.
pub(super) fn read(tree: &Tree) -> Result<Settings, ConfigError> {
    let Some(root) = tree.root() else {
        return Ok(Settings::default());
    };
    let at = |path: &'static [&'static str]| find(tree, root, path);
    Ok(Settings {
        agent_name: text(at(&["agent", "name"])?)?,
        port: port(at(&["daemon", "port"])?)?,
        bind_host: text(at(&["daemon", "bind_host"])?)?,
        lan: LanListener {
            enabled: truth(at(&["daemon", "lan", "enabled"])?)?,
            bind_host: text(at(&["daemon", "lan", "bind_host"])?)?,
            port: port(at(&["daemon", "lan", "port"])?)?,
        },
        enabled: truth(at(&["agent-comms", "enabled"])?)?,
        peers: peers(tree, at(&["agent-comms", "peers"])?)?,
        message_posture: posture(at(&["a2a", "security", "message"])?)?,
        p2p_posture: posture(at(&["a2a", "security", "p2p"])?)?,
    })
}

/// A value and the way to it.
struct Found<'a> {
    node: &'a Node,
    id: Id,
    path: String,
}

impl Found<'_> {
    fn is_not(&self, expected: &'static str) -> ConfigError {
        ConfigError::Value {
            place: self.node.place,
            path: self.path.clone(),
            expected,
        }
    }
}

/// Follows keys. A missing or null part is nothing; one that is no mapping is an error.
fn find<'a>(
    tree: &'a Tree,
    root: Id,
    keys: &'static [&'static str],
) -> Result<Option<Found<'a>>, ConfigError> {
    let mut id = root;
    for (depth, key) in keys.iter().enumerate() {
        let path: Vec<Step<'_>> = keys[..depth].iter().map(|key| Step::Key(key)).collect();
        let Some(here) = given(tree, id, path_text(&path)) else {
            return Ok(None);
        };
        if !matches!(here.node.kind, Kind::Mapping { .. }) {
            return Err(ConfigError::Value {
                path: if depth == 0 {
                    "the file".to_owned()
                } else {
                    here.path
                },
                place: here.node.place,
                expected: "a mapping",
            });
        }
        match tree.member(id, key) {
            Some((_, value)) => id = value,
            None => return Ok(None),
        }
    }
    Ok(given(tree, id, keys.join(".")))
}

/// A node that is not null.
fn given(tree: &Tree, id: Id, path: String) -> Option<Found<'_>> {
    let node = tree.resolve(id)?;
    let is_null = matches!(&node.kind, Kind::Scalar { text, plain, .. } if literal::meaning(text, *plain).is_null());
    (!is_null).then_some(Found { node, id, path })
}

fn scalar<'a>(found: &Found<'a>, expected: &'static str) -> Result<&'a str, ConfigError> {
    match &found.node.kind {
        Kind::Scalar { text, .. } => Ok(text.trim()),
        _ => Err(found.is_not(expected)),
    }
}

fn text(found: Option<Found<'_>>) -> Result<Option<String>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let text = scalar(&found, "a text")?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn truth(found: Option<Found<'_>>) -> Result<Option<bool>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    match scalar(&found, "true or false")? {
        "true" | "True" | "TRUE" => Ok(Some(true)),
        "false" | "False" | "FALSE" => Ok(Some(false)),
        _ => Err(found.is_not("true or false")),
    }
}

fn port(found: Option<Found<'_>>) -> Result<Option<u16>, ConfigError> {
    const EXPECTED: &str = "a port from 1 to 65535";
    let Some(found) = found else { return Ok(None) };
    let port = scalar(&found, EXPECTED)?
        .parse()
        .ok()
        .filter(|port| *port > 0);
    port.map(Some).ok_or_else(|| found.is_not(EXPECTED))
}

fn posture(found: Option<Found<'_>>) -> Result<Option<Posture>, ConfigError> {
    const EXPECTED: &str = "permissive or enforce";
    let Some(found) = found else { return Ok(None) };
    match scalar(&found, EXPECTED)? {
        "permissive" => Ok(Some(Posture::Permissive)),
        "enforce" => Ok(Some(Posture::Enforce)),
        _ => Err(found.is_not(EXPECTED)),
    }
}

fn peers(tree: &Tree, found: Option<Found<'_>>) -> Result<Vec<ConfigPeer>, ConfigError> {
    let Some(found) = found else {
        return Ok(Vec::new());
    };
    let Kind::Sequence { items, .. } = &found.node.kind else {
        return Err(found.is_not("a list"));
    };
    let peer = |(at, id): (usize, &Id)| peer(tree, *id, &format!("{}[{at}]", found.path));
    items.iter().enumerate().map(peer).collect()
}

fn peer(tree: &Tree, id: Id, path: &str) -> Result<ConfigPeer, ConfigError> {
    let item = Found {
        node: tree.resolve(id).unwrap_or_else(|| tree.node(id)),
        id,
        path: path.to_owned(),
    };
    if !matches!(item.node.kind, Kind::Mapping { .. }) {
        return Err(item.is_not("a mapping with name, host and port"));
    }
    let field = |key: &str| {
        let (_, value) = tree.member(item.id, key)?;
        given(tree, value, format!("{path}.{key}"))
    };
    let needed = || item.is_not("complete: name, host and port are needed");
    Ok(ConfigPeer {
        name: text(field("name"))?.ok_or_else(needed)?,
        host: text(field("host"))?.ok_or_else(needed)?,
        port: port(field("port"))?.ok_or_else(needed)?,
        ip: text(field("ip"))?,
    })
}
