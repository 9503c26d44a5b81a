//! How the browser is opened: without the code in any argument or log.

use super::{as_page, code_of, knock, serving};
use crate::harness::{Launch, wait};

/// A directory whose programs stand in for the system's, and note what they were given.
pub(crate) fn stand_in(directory: &std::path::Path, name: &str, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    format!("{}:/usr/bin:/bin", directory.display())
}

fn written(path: &std::path::Path) -> String {
    wait::until(
        "what the browser was given",
        std::time::Duration::from_secs(20),
        || {
            std::fs::read_to_string(path)
                .ok()
                .filter(|text| text.ends_with('\n'))
        },
    )
}

#[test]
fn the_browser_is_opened_without_the_code_in_any_argument_or_log() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::TempDir::new().unwrap();
    let given = directory.path().join("given");
    let path = stand_in(
        directory.path(),
        "xdg-open",
        &format!("echo \"$@\" > {}", given.display()),
    );
    let launch = Launch::new("opened")
        .env("PATH", &path)
        .env("DISPLAY", ":99")
        .env("TIELINE_LOG", "trace")
        .page_with([]);
    let Some(node) = serving(launch) else {
        return;
    };
    let file = node.home().join("open-page.html");
    assert_eq!(
        written(&given).trim(),
        file.to_str().unwrap(),
        "all that the browser is told"
    );
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let leading = std::fs::read_to_string(&file).unwrap();
    let link = leading
        .split('"')
        .find(|part| part.starts_with("http://"))
        .unwrap();
    let opened = knock(&node, code_of(link));
    assert_eq!(opened.status, 200, "{opened:?}");
    let bearer = opened.json()["bearer"].as_str().unwrap().to_owned();
    as_page(&node, &bearer, "GET", "/control/status").send();
    knock(&node, "a-wrong-code-4711");

    let log = node.log();
    assert!(log.contains("a browser opened the page"), "{log}");
    for secret in [code_of(link), &bearer, "a-wrong-code-4711"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn under_wsl_the_browser_of_windows_is_opened() {
    let directory = tempfile::TempDir::new().unwrap();
    let (given, arguments) = (
        directory.path().join("given"),
        directory.path().join("arguments"),
    );
    let script = format!(
        "echo \"$@\" > {}\ncat > {}",
        arguments.display(),
        given.display()
    );
    let path = stand_in(directory.path(), "powershell.exe", &script);
    let launch = Launch::new("inside")
        .env("PATH", &path)
        .env("WSL_DISTRO_NAME", "Debian")
        .page();
    let Some(node) = serving(launch) else {
        return;
    };
    let link = node.tieline(["ui"]).success().line();
    let port = node.page_addr().port();
    assert!(
        link.starts_with(&format!("http://localhost:{port}/#code=")),
        "{link}"
    );
    assert_eq!(written(&given).trim(), link);
    assert!(!written(&arguments).contains(code_of(&link)));
    assert_eq!(
        node.tieline(["status", "--json"]).success().json()["platform"],
        "wsl"
    );
    assert_eq!(knock(&node, code_of(&link)).status, 200);
}
