//! Installing packages with apt, after saying which and why.

use std::collections::HashSet;
use std::fs;
use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result, bail};

use super::Purpose;
use super::packages::{self, Package};
use crate::invocation::Invocation;

/// Whether this is Debian, Ubuntu or one of their relatives.
pub(crate) fn is_available() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| is_debian_like(&text))
}

/// Ubuntu has its browser and its driver under other names.
fn name_here(package: &Package) -> &'static str {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let is_ubuntu = release.lines().any(|line| line == "ID=ubuntu");
    match package.name {
        "chromium" if is_ubuntu => "chromium-browser",
        "chromium-driver" if is_ubuntu => "chromium-chromedriver",
        name => name,
    }
}

fn is_debian_like(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|id| id == "debian" || id == "ubuntu")
}

/// Installs the packages for these purposes that are missing. Fails with the exact command when
/// this user may not install.
pub(crate) fn install_missing(purposes: &[Purpose]) -> Result<()> {
    let missing = missing(purposes)?;
    if missing.is_empty() {
        println!("All system packages are there.");
        return Ok(());
    }
    println!("Missing system packages:");
    for package in &missing {
        println!("  {:<28} {}", package.name, package.reason);
    }
    let names: Vec<&str> = missing.iter().map(|package| name_here(package)).collect();
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install --no-install-recommends {}",
        names.join(" ")
    );
    let Some(rights) = Rights::of_this_user() else {
        bail!("installing them needs root, which is not to be had here; run: {by_hand}");
    };
    let install = ["install", "-y", "--no-install-recommends"];
    rights.apt(["update"]).run()?;
    rights
        .apt(install)
        .arguments(names)
        .run()
        .with_context(|| format!("apt could not install them; by hand: {by_hand}"))
}

fn missing(purposes: &[Purpose]) -> Result<Vec<&'static Package>> {
    let libraries = packages::wanted(purposes).filter(|package| package.programs.is_empty());
    // Exits with 1 when it does not know one of them, which is an answer and not an error.
    let output = Invocation::new("dpkg-query")
        .arguments(["--show", "--showformat=${Package} ${db:Status-Status}\\n"])
        .arguments(libraries.map(|package| package.name))
        .capture()?;
    let listing = String::from_utf8_lossy(&output.stdout);
    let installed = installed(&listing);
    let is_there = |package: &&Package| {
        if package.programs.is_empty() {
            installed.contains(package.name)
        } else {
            packages::has_program(package)
        }
    };
    Ok(packages::wanted(purposes)
        .filter(|package| !is_there(package))
        .collect())
}

fn installed(listing: &str) -> HashSet<&str> {
    listing
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect()
}

/// How this user may call apt.
enum Rights {
    Root,
    Sudo,
}

impl Rights {
    fn of_this_user() -> Option<Self> {
        let output = |invocation: Invocation| invocation.capture().ok();
        let id = output(Invocation::new("id").arguments(["-u"]))?;
        if id.stdout.trim_ascii() == b"0" {
            return Some(Self::Root);
        }
        // Without a terminal sudo could not ask for a password and would only fail.
        let free = output(Invocation::new("sudo").arguments(["-n", "true"]))?;
        (free.status.success() || stdin().is_terminal()).then_some(Self::Sudo)
    }

    fn apt<const N: usize>(&self, arguments: [&str; N]) -> Invocation {
        // Given as an argument of env, because sudo drops variables of its caller.
        let quiet = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
        match self {
            Self::Root => Invocation::new("env"),
            Self::Sudo => Invocation::new("sudo").arguments(["env"]),
        }
        .arguments(quiet)
        .arguments(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_relatives_are_recognised() {
        assert!(is_debian_like("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(is_debian_like("ID=pop\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian_like("ID=fedora\nVARIANT_ID=ubuntu\n"));
    }

    #[test]
    fn a_removed_package_with_configuration_left_is_missing() {
        let listing = "curl config-files\nopenssl installed\nxvfb not-installed\n";
        assert_eq!(installed(listing), HashSet::from(["openssl"]));
    }
}
