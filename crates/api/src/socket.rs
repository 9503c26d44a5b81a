//! The control socket: `<home>/control.sock`, or a named pipe on Windows.
//!
//! Whoever can open it controls the node, so it belongs to the user alone: the home is 0700 and
//! the socket 0600; the pipe's access list names its owner.

use std::io;
use std::path::Path;

use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name, traits};
use tieline_wire::problem::{Code, Problem};

use crate::serve::Accept;

/// The stream that [`connect`] gives.
pub type ControlStream = Stream;

/// Connects to the node that runs in `home`.
///
/// # Errors
/// `NOT_RUNNING` when no node serves this home; `CONFIG_INVALID` when the home's path is too long
/// for a socket.
pub async fn connect(home: &Path) -> Result<ControlStream, Problem> {
    let stream = Stream::connect(name(home)?).await;
    stream.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Problem::new(Code::NotRunning)
            .summary(format!(
                "The node in {} belongs to another user.",
                home.display()
            ))
            .because(format!("Its control socket cannot be opened: {error}.")),
        _ => Problem::new(Code::NotRunning).with("home", home.display().to_string()),
    })
}

/// Binds the control socket of `home`. The caller holds the home's lock, so a socket file that is
/// there was left by a process that is gone.
pub(crate) fn bind(home: &Path) -> Result<Listener, Problem> {
    let name = name(home)?;
    let failed = |error: io::Error| {
        Problem::new(Code::HomeUnwritable)
            .summary(format!(
                "The control socket in {} could not be made.",
                home.display()
            ))
            .because(format!("{error}."))
    };
    imp::prepare(home).map_err(failed)?;
    let listener = imp::restrict(ListenerOptions::new().name(name))
        .and_then(ListenerOptions::create_tokio)
        .map_err(failed)?;
    imp::protect(home).map_err(failed)?;
    Ok(listener)
}

/// Where the control socket of `home` is.
pub(crate) fn path(home: &Path) -> std::path::PathBuf {
    imp::path(home)
}

impl Accept for Listener {
    type Stream = Stream;

    async fn accept(&mut self) -> io::Result<Stream> {
        traits::tokio::Listener::accept(self).await
    }
}

fn name(home: &Path) -> Result<Name<'static>, Problem> {
    let path = imp::path(home);
    let too_long = path.as_os_str().len() > imp::LONGEST;
    if too_long {
        return Err(Problem::new(Code::ConfigInvalid)
            .summary(format!(
                "The path {} is too long for a socket.",
                path.display()
            ))
            .remedy("Choose a home with a shorter path.")
            .because(format!(
                "The operating system allows {} bytes for the path of a socket.",
                imp::LONGEST
            ))
            .with("length", path.as_os_str().len()));
    }
    path.to_fs_name::<GenericFilePath>().map_err(|error| {
        Problem::new(Code::ConfigInvalid)
            .summary(format!("{} cannot name a socket.", home.display()))
            .because(format!("{error}."))
    })
}

#[cfg(unix)]
mod imp {
    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    use interprocess::local_socket::ListenerOptions;

    /// `sun_path` is shortest on macOS, 104 bytes with the closing zero.
    pub(super) const LONGEST: usize = 103;

    pub(super) fn path(home: &Path) -> PathBuf {
        home.join("control.sock")
    }

    /// Closes the home to others before the socket appears in it, and removes what a crash left.
    pub(super) fn prepare(home: &Path) -> io::Result<()> {
        fs::set_permissions(home, Permissions::from_mode(0o700))?;
        match fs::remove_file(path(home)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn restrict(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        Ok(options)
    }

    /// Not every Unix can set the mode before binding; the home's 0700 covers the moment between.
    pub(super) fn protect(home: &Path) -> io::Result<()> {
        fs::set_permissions(path(home), Permissions::from_mode(0o600))
    }
}

#[cfg(windows)]
mod imp {
    use std::io;
    use std::path::{Path, PathBuf};

    use interprocess::local_socket::ListenerOptions;
    use interprocess::os::windows::local_socket::ListenerOptionsExt;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    use sha2::{Digest, Sha256};
    use widestring::u16cstr;

    /// Longest name of a named pipe.
    pub(super) const LONGEST: usize = 256;

    /// Pipes live in a namespace of their own, so the home's path is hashed into the name.
    pub(super) fn path(home: &Path) -> PathBuf {
        let canonical = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        let digest = Sha256::digest(canonical.as_os_str().as_encoded_bytes());
        let hex: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        PathBuf::from(format!(r"\\.\pipe\tieline-{hex}"))
    }

    pub(super) fn prepare(_home: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Full access for the owner and the system, none for anyone else.
    pub(super) fn restrict(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
        let owner_only = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)"))?;
        Ok(options.security_descriptor(owner_only))
    }

    pub(super) fn protect(_home: &Path) -> io::Result<()> {
        Ok(())
    }
}
