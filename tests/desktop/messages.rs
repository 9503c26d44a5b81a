//! Notifications of messages: who, what, one for a burst, *Reply*; and what holds them back.

use std::time::Duration;

use crate::desk::{Desk, pair};
use crate::harness::{Machine, wait};
use crate::window::Window;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_notification_whose_reply_opens_the_composer_focused() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let mut window = Window::open(&desk, []);
    window.shows("Pair a machine");
    pair(&desk, &serve).await;

    serve
        .tieline(["send", "mac", "Shall I <b>deploy</b>?"])
        .success();

    let message = desk.notification().await;
    assert_eq!(
        (message.app.as_str(), message.summary.as_str()),
        ("Tieline", "box")
    );
    assert_eq!(
        message.body, "Shall I &lt;b&gt;deploy&lt;/b&gt;?",
        "text is no markup"
    );
    assert_eq!(message.actions, ["default", "reply", "open"]);
    desk.answer(&message, "reply").await;
    let focused = "const it = document.activeElement; return it.tagName === 'TEXTAREA' && it.form.getAttribute('aria-label')";
    wait::until("the composer to be focused", SOON, || {
        (window.evaluate(focused) == "Write to box").then_some(())
    });
    window.type_where_the_focus_is("yes, deploy");
    window.click("Send");
    wait::until("the peer to have the text", SOON, || {
        let inbox = serve.tieline(["inbox"]).success().stdout;
        inbox.contains("yes, deploy").then_some(())
    });

    // The conversation is in view now, so what comes next needs no notification; elsewhere it does.
    window.click("Peers");
    serve.tieline(["send", "mac", "It is done."]).success();
    assert_eq!(desk.notification().await.body, "It is done.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_notification_and_open_shows_the_window() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    pair(&desk, &serve).await;
    let quiet = tray.picture().await;

    for text in ["one", "two", "three"] {
        serve.tieline(["send", "mac", text]).success();
    }

    let mut last = desk.notification().await;
    let first = last.id;
    while last.summary != "box: 3 new messages" {
        last = desk.notification().await;
        assert_eq!(
            last.id, first,
            "it takes the place of the one before: {last:?}"
        );
    }
    assert_eq!(last.body, "three");
    tray.offers("3 unread messages").await;
    tray.offers_inside("Recent messages", "box: three").await;
    assert_ne!(
        tray.picture().await,
        quiet,
        "unread messages show in the tray"
    );

    desk.answer(&last, "open").await;
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn muted_peers_and_pauses_keep_quiet_until_they_end() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    pair(&desk, &serve).await;

    tray.click_inside("box", "Mute").await;
    tray.marks("Mute", true).await;
    serve.tieline(["send", "mac", "while muted"]).success();
    tray.offers("1 unread message").await;
    tray.click_inside("box", "Mute").await;
    tray.marks("Mute", false).await;
    tray.click_inside("Pause notifications", "For one hour")
        .await;
    tray.marks("Off", false).await;
    serve.tieline(["send", "mac", "while paused"]).success();
    tray.offers("2 unread messages").await;
    tray.click_inside("Notifications are paused until", "Off")
        .await;
    tray.marks("Off", true).await;
    // A click on what holds already leaves its mark.
    tray.click_inside("Pause notifications", "Off").await;
    tray.marks("Off", true).await;
    serve.tieline(["send", "mac", "at last"]).success();

    let shown = desk.notification().await;
    assert_eq!(
        (shown.summary.as_str(), shown.body.as_str()),
        ("box", "at last")
    );
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_joins_always_shows_and_its_question_too() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    tray.click_inside("Pause notifications", "Until tomorrow")
        .await;
    tray.offers("Notifications are paused").await;
    let link = desk.tieline(&["invite"]);
    serve.tieline_with_stdin(["join"], link.trim()).success();

    let joined = desk.notification().await;
    assert_eq!(joined.summary, "box has joined with your link");
    tray.offers_inside("box: waits to be kept", "Send test ping")
        .await;

    desk.tieline(&["peers", "keep", "box"]);
    desk.tieline(&["responder", "person"]);
    tray.click_inside("Notifications are paused until", "Off")
        .await;
    tray.marks("Off", true).await;
    let mut asking = serve.command();
    let mut asking = asking
        .args(["ask", "mac", "May I go on?"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("tieline starts");
    let question = desk.notification().await;
    assert_eq!(
        (question.summary.as_str(), question.body.as_str()),
        ("box asks", "May I go on?")
    );
    assert!(
        question.actions.iter().any(|key| key == "reply"),
        "{question:?}"
    );
    let _ = asking.kill();
    let _ = asking.wait();
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}
