//! The operating system by its own name.

/// Such as `Debian GNU/Linux 12 (bookworm), kernel 6.1.0-28-amd64`; the family alone where it does
/// not say more.
pub(super) fn name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    let release = std::fs::read_to_string("/etc/os-release");
    match (release, kernel) {
        (Ok(release), Ok(kernel)) => {
            let name = pretty_name(&release).unwrap_or("Linux");
            format!("{name}, kernel {}", kernel.trim())
        }
        _ => std::env::consts::OS.to_owned(),
    }
}

/// The name in a file as os-release(5) describes it.
fn pretty_name(release: &str) -> Option<&str> {
    release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map(|name| name.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_between_other_fields() {
        let release =
            "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
        assert_eq!(pretty_name(release), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name("NAME=x"), None);
        assert!(!name().is_empty());
    }
}
