//! Node and npm, which build the user interface.

use anyhow::{Result, bail};

use crate::invocation::Invocation;
use crate::repository::NPM;

/// The oldest Node that the interface's build tools run on.
const OLDEST: (u32, u32) = (20, 19);

/// Fails with what to install unless Node and npm are there and new enough.
pub(crate) fn check() -> Result<()> {
    let (major, minor) = OLDEST;
    let Some(found) = version_of("node") else {
        bail!("Node is missing: install Node {major}.{minor} or newer (https://nodejs.org)");
    };
    match parse(&found) {
        Some(version) if version >= OLDEST => {}
        _ => bail!("Node {found} is too old: install Node {major}.{minor} or newer"),
    }
    if version_of(NPM).is_none() {
        bail!("npm is missing: it comes with Node, on Debian and Ubuntu as the package `npm`");
    }
    Ok(())
}

fn version_of(program: &str) -> Option<String> {
    let output = Invocation::new(program)
        .arguments(["--version"])
        .capture()
        .ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| version.trim().trim_start_matches('v').to_owned())
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(parse("22.3.0") >= Some(OLDEST));
        assert!(parse("20.9.1") < Some(OLDEST));
        assert_eq!(parse("lts"), None);
    }
}
