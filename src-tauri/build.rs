//! Builds Tauri's context from the configuration at the repository root.

/// What the window may ask of the shell. A command that is not listed here, and allowed in
/// `capabilities/`, cannot be called from a page.
const COMMANDS: &[&str] = &[
    "api",
    "events",
    "clipboard_write",
    "clipboard_read",
    "shell_facts",
    "offered_link",
    "start_at_login",
    "install_command_line",
    "restart",
    "quit",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("src-tauri/capabilities/*.json")
            .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS)),
    )?;
    Ok(())
}
