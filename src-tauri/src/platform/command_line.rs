//! Makes the `tieline` that comes with the app a command of the terminal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tieline_wire::problem::{Code, Problem};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Installed {
    /// Where the command is now.
    path: PathBuf,
    /// The program that it starts.
    program: PathBuf,
    /// Whether a terminal finds it under its name.
    on_path: bool,
    /// The same in words, with what is left to do.
    words: String,
}

/// Links the program that comes with this app to where terminals look.
///
/// # Errors
/// `NOT_FOUND` where none came with it, `CONFIG_INVALID` where another program has the name or the
/// app is where it does not stay, `HOME_UNWRITABLE` where no link can be made.
pub(crate) fn install() -> Result<Installed, Problem> {
    let own = std::env::current_exe()
        .and_then(|own| own.canonicalize())
        .map_err(|error| Problem::new(Code::Internal).because(format!("{error}.")))?;
    let program = own.with_file_name(format!("tieline{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        return Err(Problem::new(Code::NotFound)
            .summary("No command line tool came with this app.")
            .because(format!("There is no {}.", program.display()))
            .remedy(
                "Install Tieline from its package, or build it with `cargo build --release`.",
            ));
    }
    if let Some(why) = imp::passing(&program) {
        return Err(Problem::new(Code::ConfigInvalid)
            .summary("The app is in a place where it does not stay.")
            .because(format!(
                "{why} A command that leads there would start whatever is there later."
            ))
            .remedy("Move the app to where programs are kept, start it there, and try again."));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(installed) = found(&program, &path) {
        return Ok(installed);
    }
    imp::install(&program, &path)
}

/// It is where terminals look already.
fn found(program: &Path, path: &OsStr) -> Option<Installed> {
    let directory = program.parent()?;
    std::env::split_paths(path)
        .any(|one| one == directory)
        .then(|| Installed {
            path: program.to_owned(),
            program: program.to_owned(),
            on_path: true,
            words: format!("`tieline` is installed at {}.", program.display()),
        })
}

#[cfg(unix)]
mod imp {
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Where disk images are mounted, and where macOS runs programs that were just downloaded.
    const PASSING: [&str; 2] = ["/Volumes/", "/AppTranslocation/"];

    /// Why this program may be another one later: its disk image goes, or others can put something
    /// in its place.
    pub(super) fn passing(program: &Path) -> Option<String> {
        let shown = program.display().to_string();
        if PASSING.iter().any(|place| shown.contains(place)) {
            return Some(format!("{shown} is there only while a disk image is open."));
        }
        let open_to_all = |path: &&Path| {
            path.metadata()
                .is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0)
        };
        let place = program.ancestors().find(open_to_all)?;
        Some(format!("Everybody can write to {}.", place.display()))
    }

    pub(super) fn install(program: &Path, path: &OsStr) -> Result<Installed, Problem> {
        let mut places = Vec::new();
        if let Some(dirs) = directories::BaseDirs::new() {
            places.push(dirs.home_dir().join(".local/bin"));
        }
        places.push(PathBuf::from("/usr/local/bin"));
        // A place that terminals look in comes first.
        let looked_in: Vec<PathBuf> = std::env::split_paths(path).collect();
        places.sort_by_key(|place| !looked_in.contains(place));
        link(program, &places, &looked_in)
    }

    /// Links in the first of these places where that works.
    pub(super) fn link(
        program: &Path,
        places: &[PathBuf],
        looked_in: &[PathBuf],
    ) -> Result<Installed, Problem> {
        let mut refused = Vec::new();
        for place in places {
            let link = place.join("tieline");
            match link_at(program, &link) {
                Ok(()) => return Ok(installed(program, link, looked_in.contains(place))),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(Problem::new(Code::ConfigInvalid)
                        .summary(format!("{} is another program.", link.display()))
                        .because("A command of this name was there before, and it is not replaced.")
                        .remedy(format!(
                            "Remove {} and install the command again.",
                            link.display()
                        )));
                }
                Err(error) => refused.push(format!("{}: {error}", place.display())),
            }
        }
        Err(Problem::new(Code::HomeUnwritable)
            .summary("The command could not be linked.")
            .because(format!("{}.", refused.join("; ")))
            .remedy(format!(
                "Run `sudo ln -s '{}' /usr/local/bin/tieline` in a terminal.",
                program.display()
            )))
    }

    /// A link of ours is renewed; whatever else is there stays.
    fn link_at(program: &Path, link: &Path) -> std::io::Result<()> {
        if let Ok(target) = std::fs::read_link(link) {
            if target == program {
                return Ok(());
            }
            // The app was moved or replaced, and its old link leads nowhere.
            if !target.exists() && target.file_name() == program.file_name() {
                std::fs::remove_file(link)?;
            }
        }
        if let Some(place) = link.parent() {
            std::fs::create_dir_all(place)?;
        }
        std::os::unix::fs::symlink(program, link)
    }

    fn installed(program: &Path, link: PathBuf, on_path: bool) -> Installed {
        let place = link.parent().unwrap_or(&link).display();
        let words = match on_path {
            true => format!("`tieline` is now a command, linked at {}.", link.display()),
            false => format!(
                "Linked at {}. Terminals do not look there yet: add {place} to PATH.",
                link.display()
            ),
        };
        Installed {
            program: program.to_owned(),
            on_path,
            words,
            path: link,
        }
    }
}

#[cfg(windows)]
mod imp {
    use super::*;

    /// Nothing is linked here.
    pub(super) fn passing(_program: &Path) -> Option<String> {
        None
    }

    /// Links need an administrator here, so the person extends `Path`.
    pub(super) fn install(program: &Path, _path: &OsStr) -> Result<Installed, Problem> {
        let place = program.parent().unwrap_or(program).display().to_string();
        Ok(Installed {
            path: program.to_owned(),
            program: program.to_owned(),
            on_path: false,
            words: format!(
                "The command is {}. Add {place} to your Path (Settings, Environment variables).",
                program.display()
            ),
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::imp::{link, passing};
    use super::*;

    struct Machine {
        _root: tempfile::TempDir,
        program: PathBuf,
        places: Vec<PathBuf>,
    }

    fn machine() -> Machine {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("app/tieline");
        std::fs::create_dir(root.path().join("app")).unwrap();
        std::fs::write(&program, "").unwrap();
        let places = vec![root.path().join("home/bin"), root.path().join("local/bin")];
        Machine {
            _root: root,
            program,
            places,
        }
    }

    #[test]
    fn it_is_linked_once_and_says_where_and_what_is_left_to_do() {
        let machine = machine();
        let first = link(&machine.program, &machine.places, &machine.places).unwrap();
        assert_eq!(first.path, machine.places[0].join("tieline"));
        assert_eq!(std::fs::read_link(&first.path).unwrap(), machine.program);
        assert!(first.on_path && !first.words.contains("PATH"), "{first:?}");
        let again = link(&machine.program, &machine.places, &[]).unwrap();
        assert!(
            !again.on_path && again.words.contains("to PATH"),
            "{again:?}"
        );
    }

    #[test]
    fn a_program_of_the_same_name_is_not_replaced() {
        let machine = machine();
        std::fs::create_dir_all(&machine.places[0]).unwrap();
        let theirs = machine.places[0].join("tieline");
        std::fs::write(&theirs, "theirs").unwrap();
        let refused = link(&machine.program, &machine.places, &[]).unwrap_err();
        assert_eq!(refused.code, Code::ConfigInvalid);
        assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
    }

    #[test]
    fn an_old_link_of_ours_that_leads_nowhere_is_renewed() {
        let machine = machine();
        std::fs::create_dir_all(&machine.places[0]).unwrap();
        let old = machine.places[0].join("tieline");
        std::os::unix::fs::symlink("/nowhere/tieline", &old).unwrap();
        link(&machine.program, &machine.places, &[]).unwrap();
        assert_eq!(std::fs::read_link(&old).unwrap(), machine.program);
    }

    #[test]
    fn where_one_place_refuses_the_next_is_taken() {
        let mut machine = machine();
        // A file where a directory would be.
        std::fs::write(machine.places[0].parent().unwrap(), "").unwrap();
        let installed = link(&machine.program, &machine.places, &[]).unwrap();
        assert_eq!(installed.path, machine.places[1].join("tieline"));
        machine.places.truncate(1);
        let refused = link(&machine.program, &machine.places, &[]).unwrap_err();
        assert_eq!(refused.code, Code::HomeUnwritable);
        assert!(refused.remedy.contains("ln -s"), "{refused:?}");
    }

    #[test]
    fn a_place_where_others_can_put_a_program_is_refused() {
        // Temporary directories are below one that everybody can write to.
        let machine = machine();
        let why = passing(&machine.program).unwrap();
        assert!(why.starts_with("Everybody can write to "), "{why}");
        assert!(passing(Path::new("/Volumes/Tieline/Tieline.app/tieline")).is_some());
        let moved = "/private/var/folders/x/AppTranslocation/y/d/Tieline.app/tieline";
        assert!(passing(Path::new(moved)).is_some());
        assert_eq!(passing(Path::new("/usr/bin/env")), None);
    }

    #[test]
    fn a_program_beside_the_others_needs_no_link() {
        let machine = machine();
        let beside = machine.program.parent().unwrap();
        let there = found(&machine.program, beside.as_os_str()).unwrap();
        assert!(there.on_path);
        assert_eq!(found(&machine.program, OsStr::new("/elsewhere")), None);
    }
}
