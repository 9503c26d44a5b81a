//! Configurations of other systems that are on this machine, to be offered for import.

use std::path::PathBuf;

use tieline_store::peers::Dialect;
use tieline_wire::abtars::peers_json::{self, PeersFile};
use tieline_wire::kithkit::config::Config;
use tieline_wire::problem::{Code, Problem};

use crate::model::FoundConfig;
use crate::node::Node;

impl Node {
    /// Configurations of abTARS and KithKit on this machine, and how much of them is new.
    #[must_use]
    pub fn found_configs(&self) -> Vec<FoundConfig> {
        let abtars = abtars_file().map(|path| self.look_at_abtars(path));
        let kithkit = kithkit_files()
            .into_iter()
            .map(|path| self.look_at_kithkit(path));
        abtars.into_iter().chain(kithkit).flatten().collect()
    }

    fn look_at_abtars(&self, path: PathBuf) -> Option<FoundConfig> {
        let file = PeersFile::parse(&text_of(&path)?);
        let counted = file.map(|file| {
            let entries = file.peers();
            let new = entries
                .iter()
                .filter(|entry| self.known_as(entry).is_none());
            (entries.len(), new.count())
        });
        Some(found("abtars", &path, counted.map_err(Problem::from)))
    }

    fn look_at_kithkit(&self, path: PathBuf) -> Option<FoundConfig> {
        let config = Config::parse(&text_of(&path)?);
        let known: Vec<String> = self
            .peers
            .all()
            .iter()
            .map(|peer| peer.record())
            .filter(|record| record.row.dialect == Dialect::Kithkit)
            .filter_map(|record| Some(record.row.suggested_name.as_ref()?.to_lowercase()))
            .collect();
        let counted = config.map(|config| {
            let peers = &config.settings().peers;
            let new = peers
                .iter()
                .filter(|peer| !known.contains(&peer.name.to_lowercase()));
            (peers.len(), new.count())
        });
        Some(found("kithkit", &path, counted.map_err(Problem::from)))
    }
}

/// The text of a file that was found, and of no other.
///
/// # Errors
/// `INVALID_REQUEST` for another path, or where it cannot be read any more.
pub(super) fn read(path: &str) -> Result<String, Problem> {
    let found = abtars_file().filter(|found| found.to_str() == Some(path));
    found.and_then(|path| text_of(&path)).ok_or_else(|| {
        Problem::new(Code::InvalidRequest)
            .summary("No peers.json was found at this path.")
            .because("Only the file where abTARS itself keeps it is read by path.")
            .remedy("Give the text of the file instead, or run `tieline import FILE`.")
    })
}

fn found(
    system: &str,
    path: &std::path::Path,
    counted: Result<(usize, usize), Problem>,
) -> FoundConfig {
    let (peers, new_peers, problem) = match counted {
        Ok((peers, new)) => (peers as u64, new as u64, None),
        Err(problem) => (0, 0, Some(problem)),
    };
    FoundConfig {
        system: system.into(),
        path: path.display().to_string(),
        peers,
        new_peers,
        problem,
    }
}

/// `$ABTARS_HOME/config/peers.json`, else the one in `~/.abtars`.
fn abtars_file() -> Option<PathBuf> {
    let home = std::env::var_os("ABTARS_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(user_home()?.join(".abtars")))?;
    Some(home.join("config").join("peers.json"))
}

/// Where KithKit's daemon is usually unpacked; it has no fixed place.
fn kithkit_files() -> Vec<PathBuf> {
    let given = std::env::var_os("KITHKIT_HOME").map(PathBuf::from);
    let usual = user_home()
        .into_iter()
        .flat_map(|home| ["kithkit", ".kithkit", "KithKit"].map(|directory| home.join(directory)));
    let mut seen = Vec::<PathBuf>::new();
    for directory in given.into_iter().chain(usual) {
        let file = directory.join("kithkit.config.yaml");
        // Where capitals do not matter two of the names are one file.
        let real = file.canonicalize().unwrap_or(file);
        if !seen.contains(&real) {
            seen.push(real);
        }
    }
    seen
}

fn user_home() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = std::env::var_os(name).filter(|home| !home.is_empty());
    home.map(PathBuf::from)
}

/// A file of a size that a configuration has; nothing where there is none.
fn text_of(path: &std::path::Path) -> Option<String> {
    let about = std::fs::metadata(path).ok()?;
    let is_fitting = about.is_file() && about.len() <= peers_json::MAX_BYTES as u64;
    is_fitting.then(|| std::fs::read_to_string(path).ok())?
}
