//! Machines whose clock is hours off.

use std::fs;
use std::path::{Path, PathBuf};

use super::lab::{Lab, Place};
use super::{SOON, deliver, inbox, launch, paired, peer, wait_for_held};
use crate::harness::{Launch, Machine, skip, wait};

const HOUR_MS: i64 = 3_600_000;
/// How far a measured offset may be from the true one. A shared machine is slow at times.
const NOISE_MS: i64 = 60_000;

/// The library that shows a program another time, where it is installed.
fn faketime() -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?.flatten();
    let library = directories
        .map(|entry| entry.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists());
    if library.is_none() {
        skip("libfaketime is not installed");
    }
    library
}

/// A clock that is off by what `file` says, such as `+3h`. Only the wall clock is: elapsed time
/// stays true, as on a machine that is set wrong.
fn with_clock(launch: Launch, faketime: &Path, file: &Path) -> Launch {
    launch
        .env("LD_PRELOAD", faketime.display())
        .env("FAKETIME_TIMESTAMP_FILE", file.display())
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
}

/// The measured offset of a peer's clock.
fn offset(of: &Machine, to: &str) -> i64 {
    let ping = of.tieline(["ping", to, "--json"]).success().json();
    let measured = ping["clockOffsetMs"].as_i64().unwrap();
    let kept = peer(of, to)["clockOffsetMs"].as_i64().unwrap();
    assert!((measured - kept).abs() < NOISE_MS, "{measured} and {kept}");
    measured
}

fn assert_off_by(offset: i64, hours: i64) {
    let error = offset - hours * HOUR_MS;
    assert!(error.abs() < NOISE_MS, "{offset} ms is not {hours} h");
}

/// Everything works between the two, and each sees by how much the other's clock is off.
fn all_works(mac: &Machine, wsl: &Machine, wsl_is_ahead_by: i64) {
    assert_off_by(offset(mac, "wsl"), wsl_is_ahead_by);
    assert_off_by(offset(wsl, "mac"), -wsl_is_ahead_by);
    let before = (inbox(mac).len(), inbox(wsl).len());
    deliver(mac, "wsl", "what time is it?");
    deliver(wsl, "mac", "time for tea");
    assert_eq!(
        (inbox(mac).len(), inbox(wsl).len()),
        (before.0 + 1, before.1 + 1)
    );
}

/// Joins, talks, restarts and talks again with one clock off by so many hours.
fn with_one_clock_off(place: Place, hours: i64) {
    let (Some(library), Some(lab)) = (faketime(), Lab::build()) else {
        return;
    };
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("offset");
    fs::write(&file, format!("{hours:+}h")).unwrap();
    let [mac, wsl] = [Place::Mac, Place::Wsl].map(|machine| {
        let launch = launch(&lab, machine);
        if machine == place {
            with_clock(launch, &library, &file)
        } else {
            launch
        }
    });
    let wsl_is_ahead_by = if place == Place::Wsl { hours } else { -hours };

    let (mac, mut wsl) = paired(mac, wsl);
    wait_for_held(&mac, SOON);
    all_works(&mac, &wsl, wsl_is_ahead_by);
    let shown = mac.tieline(["ping", "wsl"]).success().stdout;
    let words = if wsl_is_ahead_by > 0 {
        "3.0 h ahead"
    } else {
        "3.0 h behind"
    };
    assert!(shown.contains(words), "{shown}");

    wsl.kill();
    mac.tieline(["send", "wsl", "while it was away", "--queue"])
        .success();
    wsl.restart();
    wait_for_held(&mac, SOON);
    wait::until("what was queued", SOON, || {
        inbox(&wsl)
            .contains(&"while it was away".to_owned())
            .then_some(())
    });
    all_works(&mac, &wsl, wsl_is_ahead_by);
}

#[test]
fn an_inviter_whose_clock_is_three_hours_ahead_is_joined_and_talked_to() {
    with_one_clock_off(Place::Mac, 3);
}

#[test]
fn an_inviter_whose_clock_is_three_hours_behind_is_joined_and_talked_to() {
    with_one_clock_off(Place::Mac, -3);
}

#[test]
fn a_joiner_whose_clock_is_three_hours_ahead_joins_and_talks() {
    with_one_clock_off(Place::Wsl, 3);
}

#[test]
fn a_joiner_whose_clock_is_three_hours_behind_joins_and_talks() {
    with_one_clock_off(Place::Wsl, -3);
}

#[test]
fn a_clock_that_jumps_while_the_line_is_up_breaks_nothing() {
    let (Some(library), Some(lab)) = (faketime(), Lab::build()) else {
        return;
    };
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("offset");
    fs::write(&file, "+0h").unwrap();
    let wsl = with_clock(launch(&lab, Place::Wsl), &library, &file);
    let (mac, wsl) = paired(launch(&lab, Place::Mac), wsl);
    wait_for_held(&mac, SOON);
    let since = peer(&wsl, "mac")["pairedAt"].take();
    for hours in [0, 3, -3, 0] {
        fs::write(&file, format!("{hours:+}h")).unwrap();
        all_works(&mac, &wsl, hours);
    }
    assert_eq!(peer(&wsl, "mac")["pairedAt"], since);
}
