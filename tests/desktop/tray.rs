//! The tray and what it does: a click really pings, and the answer comes as a notification.

use std::time::Duration;

use crate::desk::{Desk, pair};
use crate::harness::{Machine, tieline_program, wait};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_click_on_send_test_ping_pings_and_the_result_is_a_notification() {
    let desk = Desk::new().await;
    let mut serve = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    let idle = tray.picture().await;

    pair(&desk, &serve).await;
    tray.offers_inside("box", "Send test ping").await;
    tray.click_inside("box", "Send test ping").await;

    let answered = desk.notification().await;
    assert_eq!(answered.app, "Tieline");
    assert!(
        answered.summary.starts_with("box answered in ") && answered.summary.ends_with(" ms"),
        "{answered:?}"
    );
    assert!(
        answered.body.contains(&serve.peer_addr().to_string()),
        "{answered:?}"
    );
    assert_eq!(tray.picture().await, idle);
    tray.offers("All is well").await;
    tray.offers_inside("box", "Answers in ").await;
    // The result stays where it was asked for.
    let result = answered
        .summary
        .replace("box answered in", "Last test ping:");
    tray.offers_inside("box", &result).await;

    // And it was real: with the other node gone there is no answer, but a reason.
    serve.stop();
    tray.click_inside("box", "Send test ping").await;
    let failed = desk.notification().await;
    assert_eq!(failed.summary, "box did not answer");
    assert!(failed.body.len() > 20, "{failed:?}");
    let begun = std::time::Instant::now();
    while tray.picture().await == idle {
        assert!(begun.elapsed().as_secs() < 60, "the tray shows no gap");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    tray.offers("No machine can be reached").await;
    tray.offers_inside("box: asleep", "Send test ping").await;

    // A click on it opens the peer's page.
    desk.click(&failed).await;
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_is_pinged_at_once_and_starting_at_login_is_a_mark() {
    let desk = Desk::new().await;
    let (one, two) = (Machine::start("box"), Machine::start("server"));
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    pair(&desk, &one).await;
    pair(&desk, &two).await;
    tray.offers_inside("server", "Send test ping").await;

    tray.click("Ping everyone").await;
    let mut answered = [desk.notification().await, desk.notification().await]
        .map(|notification| notification.summary);
    answered.sort();
    assert!(answered[0].starts_with("box answered in "), "{answered:?}");
    assert!(
        answered[1].starts_with("server answered in "),
        "{answered:?}"
    );
    tray.offers_inside("server", "Last test ping: ").await;

    let entry = desk.user_home().join(".config/autostart/Tieline.desktop");
    tray.marks("Start at login", false).await;
    tray.click("Start at login").await;
    tray.marks("Start at login", true).await;
    let home = desk.home().display().to_string();
    // The mark is the menu's own and may be there before the whole file is.
    let started = wait::until("the session's entry names a command", SOON, || {
        let written = std::fs::read_to_string(&entry).ok()?;
        let line = written.lines().find(|line| line.starts_with("Exec="))?;
        Some(line.to_owned())
    });
    assert!(
        started.contains("--background") && started.contains(&home),
        "{started}"
    );
    tray.click("Start at login").await;
    tray.marks("Start at login", false).await;
    assert!(!entry.exists());
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_says_what_still_waits() {
    let desk = Desk::new().await;
    let mut serve = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    pair(&desk, &serve).await;
    serve.stop();
    let mut send = desk.command(&tieline_program());
    send.arg("--home")
        .arg(desk.home())
        .args(["send", "box", "good night", "--queue"]);
    assert!(send.status().expect("tieline runs").success());

    tray.click("Quit Tieline").await;

    let ended = app.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.log.contains("1 message waits"), "{ended:?}");
    let stopped = desk.notification().await;
    assert_eq!(stopped.summary, "Tieline has stopped");
    assert!(
        stopped.body.starts_with("1 message waits here"),
        "{stopped:?}"
    );
}
