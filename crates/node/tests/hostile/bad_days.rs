//! Starts that must not succeed: each says why, changes nothing, and goes well once the cause is gone.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::problem::{Code, Problem};

use crate::actor::{Actor, MESSAGES, Paired, listener};
use crate::world::{World, config, start_with, text};

/// Every file of a home with its bytes, but for the lock and SQLite's scratch files.
fn snapshot(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let passing =
        |name: &str| name.ends_with(".lock") || name.ends_with("-shm") || name.ends_with("-wal");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else if !passing(&name) {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// The files of the vault alone: the database is marked anew whenever it is opened.
fn keys(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let of_vault = |path: &PathBuf| path.to_string_lossy().contains("vault");
    let files = snapshot(home).into_iter();
    files.filter(|(path, _)| of_vault(path)).collect()
}

/// A free port that can be named before something listens there.
async fn free_port() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Tries to start; gives the problem, having checked that it helps and that nothing listens.
async fn refused(config: NodeConfig) -> Problem {
    let address = free_port().await;
    let problem = match start_with(NodeConfig {
        peer_addr: address,
        ..config
    })
    .await
    {
        Ok(_) => panic!("it started"),
        Err(problem) => problem,
    };
    for words in [&problem.summary, &problem.cause, &problem.remedy] {
        assert!(words.len() > 12, "{problem:?}");
    }
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "something listens although the start failed"
    );
    problem
}

/// A home that has seen use: a peer, a message each way.
async fn used() -> (TempDir, Paired, String) {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-1", "kept"))
        .await;
    assert_eq!(answer.status, 200);
    let _ = world.node.send(text("friend", "lost")).await;
    let key = world.node.status().await.unwrap().key_id;
    world.node.shutdown().await;
    (world.home, peer, key)
}

/// The node as it was, on the same home.
async fn as_it_was(home: TempDir, peer: &Paired, key: &str) {
    let node = start_with(config(home.path(), "mac")).await.unwrap();
    let world = World { node, home };
    assert_eq!(world.node.status().await.unwrap().key_id, key);
    assert_eq!(world.peer_names().await, ["friend"]);
    assert_eq!(world.inbox().await[0], "kept");
    // In particular, it is not taken for a copy that was put back.
    assert_eq!(world.problems().await, []);
    let peer = Paired {
        address: listener(&world.node),
        ..peer.clone()
    };
    let http = peer.dial().await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-2", "again"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_damaged_database_is_kept_and_reported_and_the_listener_stays_closed() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("overwritten", |bytes| bytes.fill(b'x')),
        ("no header", |bytes| bytes[..100].fill(0)),
        ("a page of noise", |bytes| {
            let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
            let from = bytes.len() / page / 2 * page;
            bytes[from..from + page].fill(0xa5);
        }),
        ("cut short", |bytes| bytes.truncate(bytes.len() / 2)),
        ("empty", Vec::clear),
    ];
    for (what, damage) in damages {
        let (home, peer, key) = used().await;
        let database = home.path().join("tieline.db");
        let whole = fs::read(&database).unwrap();
        let mut damaged = whole.clone();
        damage(&mut damaged);
        fs::write(&database, &damaged).unwrap();
        let before = snapshot(home.path());
        for _ in 0..2 {
            let problem = refused(config(home.path(), "mac")).await;
            assert_eq!(problem.code, Code::StoreDamaged, "{what}: {problem:?}");
            assert!(
                snapshot(home.path()) == before,
                "{what}: the home was changed"
            );
        }
        fs::write(&database, &whole).unwrap();
        as_it_was(home, &peer, &key).await;
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_reported_and_does_not_cost_the_identity() {
    let (home, peer, key) = used().await;
    fs::remove_file(home.path().join("tieline.db")).unwrap();
    let node = start_with(config(home.path(), "mac")).await.unwrap();
    let world = World { node, home };
    assert_eq!(world.node.status().await.unwrap().key_id, key);
    assert!(!world.problems().await.is_empty());
    // Nobody is let in on the strength of what was forgotten.
    let peer = Paired {
        address: listener(&world.node),
        ..peer
    };
    let http = peer.dial().await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-2", "again"))
        .await;
    assert_eq!(answer.code(), "PEER_REVOKED");
}

#[tokio::test]
async fn keys_that_are_gone_or_anothers_are_never_replaced() {
    let (home, peer, key) = used().await;
    let (others, _, _) = used().await;
    let sealed = |home: &TempDir| home.path().join("vault.sealed");
    let vault = fs::read(sealed(&home)).unwrap();
    let vault_key = fs::read(home.path().join("vault.key")).unwrap();
    let record = fs::read(home.path().join("vault.json")).unwrap();
    // Another node's keys under this node's history.
    for name in ["vault.sealed", "vault.key"] {
        fs::copy(others.path().join(name), home.path().join(name)).unwrap();
    }
    let before = keys(home.path());
    let problem = refused(config(home.path(), "mac")).await;
    assert_eq!(problem.code, Code::IdentityMissing);
    assert!(keys(home.path()) == before);
    // The key of another vault, an altered vault, and none at all.
    fs::write(sealed(&home), &vault).unwrap();
    let before = keys(home.path());
    let problem = refused(config(home.path(), "mac")).await;
    assert_eq!(problem.code, Code::VaultDamaged, "{problem:?}");
    assert!(keys(home.path()) == before);
    fs::write(home.path().join("vault.key"), &vault_key).unwrap();
    let mut altered = vault.clone();
    let last = altered.len() - 10;
    altered[last] ^= 1;
    fs::write(sealed(&home), &altered).unwrap();
    let problem = refused(config(home.path(), "mac")).await;
    assert_eq!(problem.code, Code::VaultDamaged, "{problem:?}");
    for name in ["vault.sealed", "vault.key", "vault.json"] {
        let _ = fs::remove_file(home.path().join(name));
    }
    let problem = refused(config(home.path(), "mac")).await;
    assert!(
        matches!(problem.code, Code::IdentityMissing | Code::VaultDamaged),
        "{problem:?}"
    );
    fs::write(sealed(&home), &vault).unwrap();
    fs::write(home.path().join("vault.key"), &vault_key).unwrap();
    fs::write(home.path().join("vault.json"), &record).unwrap();
    as_it_was(home, &peer, &key).await;
}

fn with_passphrase(home: &Path, file: Option<&Path>) -> NodeConfig {
    NodeConfig {
        vault: VaultChoice::File {
            passphrase_file: file.map(Path::to_owned),
        },
        ..config(home, "mac")
    }
}

#[tokio::test]
async fn a_vault_opens_with_its_own_passphrase_and_with_no_other() {
    let (home, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (right, wrong, absent) = (
        beside.path().join("right"),
        beside.path().join("wrong"),
        beside.path().join("absent"),
    );
    fs::write(&right, "correct horse battery staple\n").unwrap();
    fs::write(&wrong, "Correct horse battery staple\n").unwrap();
    #[cfg(unix)]
    for file in [&right, &wrong] {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let node = start_with(with_passphrase(home.path(), Some(&right)))
        .await
        .unwrap();
    let key = node.status().await.unwrap().key_id;
    node.shutdown().await;
    drop(node);
    let before = snapshot(home.path());
    for (file, code) in [
        (Some(&wrong), Code::VaultPassphrase),
        (Some(&absent), Code::VaultPassphrase),
        (None, Code::VaultPassphrase),
    ] {
        let problem = refused(with_passphrase(home.path(), file.map(PathBuf::as_path))).await;
        assert_eq!(problem.code, code, "{file:?}: {problem:?}");
        let told = serde_json::to_string(&problem).unwrap();
        assert!(!told.contains("battery"), "{told}");
        assert!(snapshot(home.path()) == before);
    }
    // Another kind of vault is not what this home was made with.
    let keychain = NodeConfig {
        vault: VaultChoice::Keychain,
        ..config(home.path(), "mac")
    };
    assert_eq!(refused(keychain).await.code, Code::VaultChanged);
    assert!(snapshot(home.path()) == before);
    let node = start_with(with_passphrase(home.path(), Some(&right)))
        .await
        .unwrap();
    assert_eq!(node.status().await.unwrap().key_id, key);
}

#[tokio::test]
async fn a_port_in_use_is_named_and_the_home_can_be_started_elsewhere() {
    let (home, peer, key) = used().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    for _ in 0..5 {
        let elsewhere = NodeConfig {
            peer_addr: address,
            ..config(home.path(), "mac")
        };
        let problem = match Node::start(elsewhere).await {
            Ok(_) => panic!("it started"),
            Err(problem) => problem,
        };
        assert_eq!(problem.code, Code::PortInUse);
        assert!(
            problem.summary.contains(&address.port().to_string()),
            "{problem:?}"
        );
    }
    as_it_was(home, &peer, &key).await;
}

#[tokio::test]
async fn a_second_engine_on_a_home_is_told_of_the_first_and_does_not_disturb_it() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let problem = match Node::start(config(world.home.path(), "other")).await {
        Ok(_) => panic!("it started"),
        Err(problem) => problem,
    };
    assert_eq!(problem.code, Code::HomeLocked);
    assert!(problem.summary.contains(&std::process::id().to_string()));
    let http = peer.dial().await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-1", "still here"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.node.own_name(), "mac");
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    fs::write(&file, "mine").unwrap();
    for home in [file.clone(), file.join("below")] {
        let problem = refused(config(&home, "mac")).await;
        assert_eq!(problem.code, Code::HomeUnwritable, "{problem:?}");
        assert!(problem.summary.contains("a-file"), "{problem:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    // Root may write everywhere but where nothing can be.
    #[cfg(target_os = "linux")]
    {
        let problem = refused(config(Path::new("/proc/tieline-home"), "mac")).await;
        assert_eq!(problem.code, Code::HomeUnwritable, "{problem:?}");
    }
}
