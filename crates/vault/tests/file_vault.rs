//! The file vault against real files: wrong keys, changed files, crashes and company.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use tempfile::TempDir;
use tieline_vault::{PassphraseProblem, Secret, Vault, VaultChoice, VaultError, VaultKind};
use tieline_wire::problem::{Code, Problem};

const WITH_KEY: VaultChoice = VaultChoice::File {
    passphrase_file: None,
};

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn passphrase(home: &Path, text: &str) -> PathBuf {
    let path = home.join(format!("passphrase-{}", text.len()));
    fs::write(&path, text).unwrap();
    path
}

fn with_passphrase(file: &Path) -> VaultChoice {
    VaultChoice::File {
        passphrase_file: Some(file.to_owned()),
    }
}

fn read(vault: &Vault, name: &str) -> Option<String> {
    vault
        .get(name)
        .unwrap()
        .map(|secret| secret.expose_str().unwrap().to_owned())
}

#[test]
fn secrets_last_and_can_be_replaced_and_deleted() {
    let home = home();
    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    assert_eq!(read(&vault, "a"), None);
    vault.set("a", &Secret::from("one")).unwrap();
    vault.set("b", &Secret::from("")).unwrap();
    vault.set("a", &Secret::from("two")).unwrap();

    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    assert_eq!(vault.kind(), VaultKind::FileWithKey);
    assert!(vault.description().contains("file permissions only"));
    assert_eq!(read(&vault, "a").as_deref(), Some("two"));
    assert_eq!(read(&vault, "b").as_deref(), Some(""));
    assert!(vault.delete("a").unwrap());
    assert!(!vault.delete("a").unwrap());
    assert_eq!(read(&vault, "a"), None);
}

#[test]
fn a_passphrase_opens_the_vault_and_a_wrong_or_missing_one_does_not() {
    let home = home();
    let right = passphrase(home.path(), "correct horse");
    let wrong = passphrase(home.path(), "incorrect horse");
    let vault = Vault::open(&with_passphrase(&right), home.path()).unwrap();
    assert_eq!(vault.kind(), VaultKind::FileWithPassphrase);
    vault.set("a", &Secret::from("one")).unwrap();
    let before = fs::read(home.path().join("vault.sealed")).unwrap();

    let error = Vault::open(&with_passphrase(&wrong), home.path()).unwrap_err();
    assert!(
        matches!(
            error,
            VaultError::Passphrase(PassphraseProblem::Wrong { .. })
        ),
        "{error}"
    );
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{:?}", Problem::from(&error)),
    ] {
        assert!(!text.contains("horse"), "{text}");
    }
    for choice in [
        WITH_KEY,
        VaultChoice::Recorded {
            passphrase_file: None,
        },
    ] {
        let error = Vault::open(&choice, home.path()).unwrap_err();
        assert!(
            matches!(error, VaultError::Passphrase(PassphraseProblem::Missing)),
            "{error}"
        );
        assert_eq!(Problem::from(error).code, Code::VaultPassphrase);
    }
    assert_eq!(
        fs::read(home.path().join("vault.sealed")).unwrap(),
        before,
        "nothing changed"
    );

    let recorded = VaultChoice::Recorded {
        passphrase_file: Some(right),
    };
    assert_eq!(
        read(&Vault::open(&recorded, home.path()).unwrap(), "a").as_deref(),
        Some("one")
    );
}

#[test]
fn neither_secrets_nor_passphrase_lie_readable_in_any_file() {
    let home = home();
    let file = passphrase(home.path(), "correct horse");
    let vault = Vault::open(&with_passphrase(&file), home.path()).unwrap();
    vault.set("a", &Secret::from("battery staple")).unwrap();
    fs::remove_file(file).unwrap();
    for entry in fs::read_dir(home.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(
            !text.contains("staple") && !text.contains("horse"),
            "{}",
            path.display()
        );
    }
    assert_eq!(format!("{vault:?}"), "Vault(FileWithPassphrase)");
}

#[test]
fn no_single_changed_bit_yields_other_secrets() {
    let home = home();
    let path = home.path().join("vault.sealed");
    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    vault.set("a", &Secret::from("one")).unwrap();
    let original = fs::read(&path).unwrap();
    let mut refused = 0;
    for at in 0..original.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut changed = original.clone();
            changed[at] ^= bit;
            fs::write(&path, &changed).unwrap();
            match Vault::open(&WITH_KEY, home.path()).and_then(|vault| vault.get("a")) {
                // White space between the fields carries nothing.
                Ok(secret) => assert_eq!(secret.unwrap().expose(), b"one", "byte {at}"),
                Err(VaultError::Damaged { .. }) => refused += 1,
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
    }
    assert!(
        refused > original.len() * 2,
        "only {refused} changes were noticed"
    );
    assert!(vault.get("a").is_err(), "an open vault notices too");
    fs::write(&path, &original).unwrap();
    assert_eq!(read(&vault, "a").as_deref(), Some("one"));
}

#[test]
fn a_changed_file_is_told_apart_from_a_wrong_passphrase() {
    let home = home();
    let file = passphrase(home.path(), "correct horse");
    let path = home.path().join("vault.sealed");
    drop(Vault::open(&with_passphrase(&file), home.path()).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    let content = text
        .split("\"content\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let changed: String = content.chars().rev().collect();
    fs::write(&path, text.replace(content, &changed)).unwrap();
    let error = Vault::open(&with_passphrase(&file), home.path()).unwrap_err();
    assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    assert_eq!(Problem::from(error).code, Code::VaultDamaged);
}

#[test]
fn a_lost_file_is_reported_and_never_made_anew() {
    for lost in ["vault.sealed", "vault.key"] {
        let home = home();
        let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
        vault.set("a", &Secret::from("one")).unwrap();
        fs::remove_file(home.path().join(lost)).unwrap();
        let error = Vault::open(&WITH_KEY, home.path()).unwrap_err();
        assert!(
            matches!(error, VaultError::Damaged { .. }),
            "{lost}: {error}"
        );
        assert!(!home.path().join(lost).exists(), "{lost}");
    }
}

#[test]
fn a_home_keeps_to_its_first_vault() {
    let home = home();
    drop(Vault::open(&WITH_KEY, home.path()).unwrap());
    let other = with_passphrase(&passphrase(home.path(), "correct horse"));
    for choice in [other, VaultChoice::Keychain] {
        let error = Vault::open(&choice, home.path()).unwrap_err();
        assert!(
            matches!(error, VaultError::Changed { .. }),
            "{choice:?}: {error}"
        );
        assert_eq!(Problem::from(error).code, Code::VaultChanged);
    }
    Vault::open(
        &VaultChoice::Recorded {
            passphrase_file: None,
        },
        home.path(),
    )
    .unwrap();
}

#[test]
fn without_its_record_a_file_vault_is_not_passed_over() {
    let home = home();
    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    vault.set("a", &Secret::from("one")).unwrap();
    fs::remove_file(home.path().join("vault.json")).unwrap();
    let error = Vault::open(&VaultChoice::Keychain, home.path()).unwrap_err();
    assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    // As after a first start that was cut short.
    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    assert_eq!(read(&vault, "a").as_deref(), Some("one"));
}

#[test]
fn a_record_that_cannot_be_read_is_left_alone() {
    for content in [
        "",
        "{",
        "{\"version\":2,\"vault\":\"fileWithKey\",\"homeId\":\"\"}",
        "[]",
    ] {
        let home = home();
        drop(Vault::open(&WITH_KEY, home.path()).unwrap());
        let record = home.path().join("vault.json");
        fs::write(&record, content).unwrap();
        let error = Vault::open(&WITH_KEY, home.path()).unwrap_err();
        assert!(
            matches!(error, VaultError::Damaged { .. }),
            "{content}: {error}"
        );
        assert_eq!(fs::read_to_string(&record).unwrap(), content);
    }
}

#[test]
fn names_and_sizes_out_of_bounds_are_refused_and_change_nothing() {
    let home = home();
    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    let error = vault.set("../keys", &Secret::from("x")).unwrap_err();
    assert_eq!(Problem::from(error).code, Code::InvalidRequest);
    vault.set("a", &Secret::new(vec![1; 256 * 1024])).unwrap();
    let error = vault
        .set("a", &Secret::new(vec![2; 256 * 1024 + 1]))
        .unwrap_err();
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::PayloadTooLarge);
    let detail = problem.detail.unwrap();
    assert_eq!(
        (&detail["length"], &detail["limit"]),
        (&262_145.into(), &262_144.into())
    );
    assert_eq!(vault.get("a").unwrap().unwrap().expose()[0], 1);
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let parent = home();
    let home = parent.path().join("new/home");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let vault = Vault::open(&WITH_KEY, &home).unwrap();
    vault.set("a", &Secret::from("one")).unwrap();
    assert_eq!(mode(&home), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&home).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["vault.json", "vault.key", "vault.lock", "vault.sealed"]
    );

    // A copy that was restored without care.
    for name in ["vault.key", "vault.sealed"] {
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    drop(Vault::open(&WITH_KEY, &home).unwrap());
    for name in ["vault.key", "vault.sealed"] {
        assert_eq!(mode(&home.join(name)), 0o600, "{name}");
    }
}

#[test]
fn writers_in_many_threads_and_processes_lose_nothing() {
    if let Some(home) = env::var_os("VAULT_TEST_WRITER") {
        return write_as_one_of_many(Path::new(&home));
    }
    let home = home();
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            this_test("writers_in_many_threads_and_processes_lose_nothing")
                .env("VAULT_TEST_WRITER", home.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let processes: Vec<u32> = children.iter().map(std::process::Child::id).collect();
    assert!(
        children
            .iter_mut()
            .all(|child| child.wait().unwrap().success())
    );

    let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
    for process in processes {
        for thread in 0..3 {
            for count in 0..10 {
                let name = format!("{process}.{thread}.{count}");
                assert_eq!(read(&vault, &name), Some(name.clone()));
            }
        }
    }
}

/// Opens the vault too, so that the first start of the home is contended as well.
fn write_as_one_of_many(home: &Path) {
    let process = std::process::id();
    thread::scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                let vault = Vault::open(&WITH_KEY, home).unwrap();
                for count in 0..10 {
                    let name = format!("{process}.{thread}.{count}");
                    vault.set(&name, &Secret::from(name.as_str())).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_kill_at_any_moment_leaves_the_last_secret_or_the_next() {
    if let Some(home) = env::var_os("VAULT_TEST_VICTIM") {
        return count_until_killed(Path::new(&home));
    }
    let home = home();
    for round in 0..25 {
        let mut child = this_test("a_kill_at_any_moment_leaves_the_last_secret_or_the_next")
            .arg("--nocapture")
            .env("VAULT_TEST_VICTIM", home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut reported = None;
        let mut counts = 0;
        while counts <= round % 7 {
            let line = lines.next().unwrap().unwrap();
            if let Some(count) = line.strip_prefix("stored ") {
                reported = Some(count.parse::<u64>().unwrap());
                counts += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died.
        for line in lines.map_while(Result::ok) {
            if let Some(count) = line
                .strip_prefix("stored ")
                .and_then(|count| count.parse().ok())
            {
                reported = Some(count);
            }
        }
        let reported = reported.unwrap();
        let vault = Vault::open(&WITH_KEY, home.path()).unwrap();
        let stored: u64 = read(&vault, "count").unwrap().parse().unwrap();
        assert!(
            stored == reported || stored == reported + 1,
            "{reported} was stored, {stored} found"
        );
    }
}

// The parent process reads it.
#[allow(clippy::print_stdout)]
fn count_until_killed(home: &Path) {
    let vault = Vault::open(&WITH_KEY, home).unwrap();
    let start = read(&vault, "count").map_or(0, |count| count.parse().unwrap());
    for count in start + 1..start + 100_000_u64 {
        vault
            .set("count", &Secret::from(count.to_string().as_str()))
            .unwrap();
        println!("\nstored {count}");
    }
}

/// This test program, to run one of its tests in a process of its own.
fn this_test(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name]);
    command
}
