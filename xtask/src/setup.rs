//! What a machine needs besides Rust, and how it gets it.

mod apt;
mod node;
mod packages;

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;

/// What a package is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Compiling and linking the tray app.
    Build,
    /// Starting it.
    Run,
    /// Running the whole test suite.
    Test,
}

impl Purpose {
    pub(crate) const ALL: [Self; 3] = [Self::Build, Self::Run, Self::Test];
}

/// Checks that everything for the given purposes is there, and installs what is not where this
/// program knows how to. Otherwise fails and says what to do.
pub(crate) fn run(purposes: &[Purpose]) -> Result<()> {
    node::check()?;
    match std::env::consts::OS {
        "linux" => linux(purposes),
        "macos" => macos(),
        "windows" => windows(),
        other => {
            println!("No set-up is known for {other}; the build will tell what is missing.");
            Ok(())
        }
    }
}

fn linux(purposes: &[Purpose]) -> Result<()> {
    if apt::is_available() {
        return apt::install_missing(purposes);
    }
    let missing = packages::missing_programs(purposes);
    let webkit = Invocation::new("pkg-config")
        .arguments(["--exists", "webkit2gtk-4.1"])
        .capture();
    let has_webkit = webkit.is_ok_and(|output| output.status.success());
    if has_webkit && missing.is_empty() {
        return Ok(());
    }
    if !has_webkit {
        println!("  WebKitGTK 4.1 with its development files (pkg-config finds no webkit2gtk-4.1)");
    }
    for package in &missing {
        println!("  {:<28} {}", package.name, package.reason);
    }
    bail!(
        "this is not Debian or Ubuntu, so install the above (Debian's names) with this system's \
         own package manager, and libayatana-appindicator3 for the tray; then start again"
    )
}

/// WebKit and the keychain are parts of macOS, and whoever could build this program has the
/// command line tools of Xcode.
fn macos() -> Result<()> {
    let tools = Invocation::new("xcode-select")
        .arguments(["-p"])
        .capture()?;
    if !tools.status.success() {
        bail!("the command line tools of Xcode are missing; install them: xcode-select --install");
    }
    Ok(())
}

/// Whoever could build this program has the C++ build tools, so only the webview can be missing.
fn windows() -> Result<()> {
    const CLIENT: &str = r"Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
    let places = [
        r"HKLM\SOFTWARE\WOW6432Node",
        r"HKLM\SOFTWARE",
        r"HKCU\Software",
    ];
    for place in places {
        let key = format!(r"{place}\{CLIENT}");
        let query = Invocation::new("reg")
            .arguments(["query", key.as_str(), "/v", "pv"])
            .capture()
            .context("cannot ask the registry for the WebView2 runtime")?;
        if query.status.success() {
            return Ok(());
        }
    }
    bail!(
        "the WebView2 runtime is missing (part of Windows 11); install it: \
         winget install Microsoft.EdgeWebView2Runtime"
    )
}
