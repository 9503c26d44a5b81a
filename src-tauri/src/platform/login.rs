//! Starting at login, as each platform knows it: an entry in the session's autostart directory, a
//! launch agent, a value in the user's registry. It starts into the tray, without a window.

use std::path::Path;

use auto_launch::{AutoLaunch, AutoLaunchBuilder};
use tieline_wire::problem::{Code, Problem};

use crate::engine::Engine;

/// Whether the app of this home starts at login.
///
/// # Errors
/// `INTERNAL` where the platform does not say.
pub(crate) fn is_set(engine: &Engine) -> Result<bool, Problem> {
    entry(engine)?.is_enabled().map_err(|error| failed(&error))
}

/// Makes it start at login, or no longer.
///
/// # Errors
/// `INTERNAL` where the platform refuses.
pub(crate) fn set(engine: &Engine, on: bool) -> Result<(), Problem> {
    let entry = entry(engine)?;
    let done = if on { entry.enable() } else { entry.disable() };
    done.map_err(|error| failed(&error))
}

fn entry(engine: &Engine) -> Result<AutoLaunch, Problem> {
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut arguments = vec!["--background".to_owned()];
    if !engine.is_default_home() {
        arguments.push("--home".to_owned());
        arguments.push(quoted(engine.home()));
    }
    AutoLaunchBuilder::new()
        .set_app_name("Tieline")
        .set_app_path(&program_path(&program))
        .set_args(&arguments)
        .build()
        .map_err(|error| failed(&error))
}

/// The library puts the path as it is into a command line, but for macOS, which takes a list.
#[cfg(not(target_os = "macos"))]
fn program_path(program: &Path) -> String {
    quoted(program)
}

#[cfg(target_os = "macos")]
fn program_path(program: &Path) -> String {
    program.display().to_string()
}

#[cfg(target_os = "macos")]
fn quoted(path: &Path) -> String {
    path.display().to_string()
}

/// A path as one word of a command line, whatever is in it.
#[cfg(windows)]
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

/// A path as one word of the `Exec` line of a desktop entry, whatever is in it (Desktop Entry
/// Specification, "The Exec key").
#[cfg(all(unix, not(target_os = "macos")))]
fn quoted(path: &Path) -> String {
    let mut word = String::from("\"");
    for c in path.display().to_string().chars() {
        match c {
            '"' | '`' | '$' => word.extend(['\\', '\\', c]),
            '\\' => word.push_str("\\\\\\\\"),
            '%' => word.push_str("%%"),
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::Internal)
        .summary("Starting at login could not be changed")
        .because(format!("{error}."))
        .remedy("Add Tieline to the programs that your session starts by hand.")
}

#[cfg(test)]
mod tests {
    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_path_stays_one_word_of_the_entry() {
        use std::path::Path;
        let quoted = |path: &str| super::quoted(Path::new(path));
        assert_eq!(quoted("/opt/my tools/tieline"), "\"/opt/my tools/tieline\"");
        assert_eq!(quoted("/a$b"), r#""/a\\$b""#);
        assert_eq!(quoted(r"/a\b"), r#""/a\\\\b""#);
        assert_eq!(quoted("/100%"), "\"/100%%\"");
    }
}
