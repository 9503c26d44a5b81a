//! Opening a link in the person's browser without putting it into the arguments of a process, where
//! every user of the machine could read it while it still opens something.
//!
//! On macOS and Windows a program of the system reads it from its standard input. On Linux, browsers
//! take addresses as arguments only; they are given the address of a file that only its user can
//! read, and the file leads on. WSL has no browser of its own, so the one of Windows is opened.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tieline_node::Platform;

/// The file that leads to the page, in the home.
const FILE: &str = "open-page.html";

/// Opens `link` in the browser. Returns before it is shown.
///
/// # Errors
/// A sentence that says why it was not opened.
pub(crate) fn open(link: &str, home: &Path, platform: Platform) -> Result<(), String> {
    match platform {
        Platform::Wsl | Platform::Windows => tell(
            Command::new("powershell.exe").args([
                "-NoProfile",
                "-NonInteractive",
                "-Command",
                "Start-Process -FilePath ([Console]::In.ReadLine())",
            ]),
            &format!("{link}\n"),
        ),
        Platform::MacOs => tell(
            Command::new("osascript").arg("-"),
            &format!("open location \"{link}\"\n"),
        ),
        Platform::Linux | Platform::Other => {
            if !has_display() {
                return Err("There is no display here.".to_owned());
            }
            let file = write_file(link, home).map_err(|error| {
                format!("{} cannot be written ({error}).", home.join(FILE).display())
            })?;
            start(Command::new("xdg-open").arg(file).stdin(Stdio::null()))
        }
    }
}

/// Starts a program and gives it something to read.
fn tell(command: &mut Command, text: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name} cannot be started ({error})."))?;
    let Some(mut pipe) = child.stdin.take() else {
        return Err(format!("{name} reads nothing."));
    };
    let told = pipe
        .write_all(text.as_bytes())
        .map_err(|error| format!("{name} ended early ({error})."));
    drop(pipe);
    see_off(child);
    told
}

fn start(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name} cannot be started ({error})."))?;
    see_off(child);
    Ok(())
}

/// Waits for the end of a program that nobody else waits for; it may be the browser itself.
fn see_off(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Writes the file that leads to `link`. An older one is replaced; its code opens nothing any more.
fn write_file(link: &str, home: &Path) -> std::io::Result<PathBuf> {
    let path = home.join(FILE);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // The link is our own: an address, and a code of letters, digits, `-` and `_`.
    write!(
        options.open(&path)?,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Tieline</title>\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0;url={link}\">\n\
         <p><a href=\"{link}\">Open Tieline</a></p>\n"
    )?;
    Ok(path)
}
