//! The disks of both nodes are full at random instants, and have room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::calls::Calls;
use super::client::Client;
use super::ledger::{Ledger, Word};
use super::{Side, say, seed, verdict};
use crate::harness::wait::{Stop, StopAtTheEnd};
use crate::harness::{Launch, pair, skip};

/// How often each disk is full.
const ROUNDS: usize = 15;
/// Clients on each side.
const CLIENTS: usize = 2;
/// Says to this program that it runs in a file system view of its own, and where the disks go.
const INSIDE: &str = "TIELINE_TEST_DISKS";
/// A view of the file systems in which anyone may mount, and which ends with its processes.
const CONFINED: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];

#[test]
fn every_accepted_message_is_delivered_once_or_failed_when_disks_are_full_for_a_while() {
    if let Some(directory) = std::env::var_os(INSIDE) {
        return with_full_disks(Path::new(&directory));
    }
    let directory = tempfile::TempDir::new().unwrap();
    if !mount(&CONFINED, directory.path()) {
        return skip("no file system can be mounted in a user namespace");
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let status = Command::new(CONFINED[0])
        .args(&CONFINED[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(INSIDE, directory.path())
        // Whoever counts the results of tests reads standard output.
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// Mounts a small disk, after some words of a command.
fn mount(words: &[&str], at: &Path) -> bool {
    let mount = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs"];
    let words = [words, &mount].concat();
    let mounted = Command::new(words[0]).args(&words[1..]).arg(at).output();
    mounted.is_ok_and(|output| output.status.success())
}

fn with_full_disks(directory: &Path) {
    let mut random = fastrand::Rng::with_seed(seed());
    let [mac, wsl] = [Side::Mac, Side::Wsl].map(|side| {
        let disk = directory.join(side.name());
        fs::create_dir(&disk).unwrap();
        assert!(mount(&[], &disk));
        Launch::new(side.name()).start_at(disk.join("home"))
    });
    pair(&mac, &wsl);
    let (calls, ledger, stop) = (Calls::default(), Ledger::default(), Stop::default());
    std::thread::scope(|scope| {
        let _stop = StopAtTheEnd(&stop);
        for (side, machine) in [(Side::Mac, &mac), (Side::Wsl, &wsl)] {
            for number in 0..CLIENTS {
                let client = Client {
                    side,
                    number,
                    addr: machine.api_addr(),
                    random: random.fork(),
                    calls: &calls,
                    ledger: &ledger,
                    stop: &stop,
                };
                scope.spawn(|| client.run());
            }
        }
        let fillers = [Side::Mac, Side::Wsl].map(|side| {
            let ballast = directory.join(side.name()).join("ballast");
            let (random, stop) = (random.fork(), &stop);
            scope.spawn(move || fill_and_free(&ballast, random, stop))
        });
        for filler in fillers {
            filler.join().unwrap();
        }
    });
    let refused = ledger.count(&Word::NoRoom);
    say(format!(
        "{} messages, {refused} times no room",
        ledger.len()
    ));
    assert!(refused > ROUNDS, "the disks were full");
    let summary = verdict::judge(&ledger, &[(Side::Mac, &mac), (Side::Wsl, &wsl)]);
    say(summary);
}

/// Fills a disk to the last byte, waits, and gives the room back.
fn fill_and_free(ballast: &Path, mut random: fastrand::Rng, stop: &Stop) {
    let _stop = StopAtTheEnd(stop);
    for _ in 0..ROUNDS {
        stop.wait(Duration::from_millis(random.u64(50..500)));
        let mut file = File::create(ballast).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let chunk = vec![1; size];
            while file.write_all(&chunk).is_ok() {}
        }
        stop.wait(Duration::from_millis(random.u64(50..700)));
        fs::remove_file(ballast).unwrap();
    }
}
