//! Where a node can be reached: a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host name or IP address with a port; `host:port`, or `[v6]:port`, as text and in JSON.
///
/// Names are kept in lower case and IPv6 addresses in canonical form, so equal places compare equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// A text that is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `:port` at the end.
    #[error("the port is missing: write host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The host is empty, too long, or has characters no host has. Likely cause: a whole URL was given.
    #[error("the host is neither a name nor an IP address")]
    Host,
    /// An IPv6 address without its brackets, so that the port cannot be told apart.
    #[error("an IPv6 address needs brackets: [address]:port")]
    Brackets,
}

impl Address {
    /// An address from its parts; `host` without brackets.
    ///
    /// # Errors
    /// [`AddressError::Host`] or [`AddressError::Port`].
    pub fn new(host: &str, port: u16) -> Result<Self, AddressError> {
        if port == 0 {
            return Err(AddressError::Port);
        }
        Ok(Self {
            host: normal_host(host)?,
            port,
        })
    }

    /// Reads `host:port`, or a host alone, which gets `default_port`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse_or(text: &str, default_port: u16) -> Result<Self, AddressError> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Self::new(&ip.to_string(), default_port);
        }
        match text.parse() {
            Err(AddressError::NoPort) => {
                let bare = text
                    .strip_prefix('[')
                    .and_then(|text| text.strip_suffix(']'));
                Self::new(bare.unwrap_or(text), default_port)
            }
            other => other,
        }
    }

    /// The host, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The IP address, if the host is one (and has no zone, as `fe80::1%eth0` does).
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

fn normal_host(host: &str) -> Result<String, AddressError> {
    if host.contains(':') {
        let (ip, zone) = host
            .split_once('%')
            .map_or((host, None), |(ip, zone)| (ip, Some(zone)));
        let ip: Ipv6Addr = ip.parse().map_err(|_| AddressError::Host)?;
        return match zone {
            None => Ok(ip.to_string()),
            Some(zone) if is_label(zone) => Ok(format!("{ip}%{zone}")),
            Some(_) => Err(AddressError::Host),
        };
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(AddressError::Host);
    }
    // "1.2.3" and "0x7f.1" are addresses to some resolvers and names to others.
    let last = name.rsplit('.').next().unwrap_or(&name);
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if numeric && name.parse::<Ipv4Addr>().is_err() {
        return Err(AddressError::Host);
    }
    Ok(name)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(AddressError::Host)?;
                if !host.contains(':') {
                    return Err(AddressError::Host);
                }
                match rest.strip_prefix(':') {
                    Some(port) => (host, port),
                    None if rest.is_empty() => return Err(AddressError::NoPort),
                    None => return Err(AddressError::Host),
                }
            }
            None => {
                let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
                match host.contains(':') {
                    true if text.parse::<Ipv6Addr>().is_ok() => return Err(AddressError::Brackets),
                    true => return Err(AddressError::Host),
                    false => (host, port),
                }
            }
        };
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AddressError::Port);
        }
        Self::new(host, port.parse().map_err(|_| AddressError::Port)?)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoding::deserialize_str(deserializer)
    }
}
