//! A full disk: what is refused is said so, what was confirmed stays, and nothing needs a restart.
//!
//! The test runs itself again in a mount namespace of its own, with a small file system for the
//! engine's home. Where the system does not allow that, it is a skipped test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tieline_wire::problem::Code;

use crate::actor::{Actor, MESSAGES, Paired, RESOLVE, listener};
use crate::skip::skip;
use crate::station::Station;
use crate::world::{World, eventually, start, text};

const INSIDE: &str = "TIELINE_TEST_SMALL_DISK";
const NOT_ALLOWED: i32 = 77;

#[test]
fn a_full_disk_loses_nothing_that_was_confirmed() {
    match std::env::var_os(INSIDE) {
        Some(disk) => inside(Path::new(&disk)),
        None => outside(),
    }
}

fn outside() {
    let disk = tempfile::tempdir().unwrap();
    let script = format!(
        r#"mount -t tmpfs -o size=6m,mode=700 none "${INSIDE}" || exit {NOT_ALLOWED}
           exec "$0" --exact disk::a_full_disk_loses_nothing_that_was_confirmed --nocapture"#
    );
    let inside = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, disk.path())
        .output();
    let output = match inside {
        Ok(output) => output,
        Err(error) => {
            return skip(&format!("`unshare` cannot be run: {error}"));
        }
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let denied = output.status.code() == Some(NOT_ALLOWED) || said.contains("unshare failed");
    if denied {
        return skip(&format!("this system allows no mount namespace: {said}"));
    }
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// A file that takes up room.
fn fill(disk: &Path, leave: u64) -> PathBuf {
    let filler = disk.join("filler");
    let chunk = vec![b'x'; 4096];
    let mut file = fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(leave)).unwrap();
    filler
}

#[tokio::main]
async fn inside(disk: &Path) {
    let home = tempfile::tempdir_in(disk).unwrap();
    let node = start(home.path(), "mac").await;
    let world = World { node, home };
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let peer = actor.join(&world.node, &[station.address]).await;
    let http = peer.dial().await;
    let filler = fill(disk, 300 * 1024);
    let long = "x".repeat(20_000);
    let mut confirmed = Vec::new();
    let refused = loop {
        let id = format!("m-{}", confirmed.len());
        let body = peer.message(&id, &format!("{id} {long}"));
        let answer = peer.post(&http, MESSAGES, &body).await;
        if answer.status != 200 {
            break answer;
        }
        confirmed.push(format!("{id} {long}"));
        assert!(confirmed.len() < 1_000, "the disk does not fill");
    };
    assert_eq!(
        (refused.status, refused.code()),
        (507, "STORE_FULL"),
        "{refused:?}"
    );
    assert!(!confirmed.is_empty());
    // What leaves this node is refused before its first byte does.
    let failure = world.node.send(text("friend", &long)).await.unwrap_err();
    assert_eq!(failure.problem.code, Code::StoreFull, "{failure:?}");
    assert!(failure.problem.remedy.contains("space"), "{failure:?}");
    assert!(station.seen(MESSAGES).is_empty());
    // Everything confirmed can still be read; the refused one is not there.
    assert_eq!(world.inbox().await, confirmed);
    // Nor can a fence be put up, so nothing is called absent for good.
    let fence = serde_json::json!({"items": (0..200).map(|n| serde_json::json!({
        "id": format!("{n}-{}", "i".repeat(120)), "hash": "A".repeat(43), "fence": true,
    })).collect::<Vec<_>>()});
    let answer = peer
        .post(&http, RESOLVE, fence.to_string().as_bytes())
        .await;
    assert!(
        answer.status == 200 || answer.code() == "STORE_FULL",
        "{answer:?}"
    );
    // Room again: it goes on without a restart, and the same copy is taken now.
    fs::remove_file(filler).unwrap();
    let id = format!("m-{}", confirmed.len());
    let body = peer.message(&id, &format!("{id} {long}"));
    eventually("messages are taken again", async || {
        peer.post(&http, MESSAGES, &body).await.status == 200
    })
    .await;
    confirmed.push(format!("{id} {long}"));
    let sent = world.node.send(text("friend", "out again")).await.unwrap();
    assert_eq!(sent.status, "delivered");
    let world = world.restart().await;
    assert_eq!(world.inbox().await, confirmed);
    let peer = Paired {
        address: listener(&world.node),
        ..peer
    };
    let http = peer.dial().await;
    assert_eq!(peer.post(&http, MESSAGES, &body).await.status, 200);
    assert_eq!(world.inbox().await, confirmed);
}
