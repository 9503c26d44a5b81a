//! How the app starts, hides, comes back and stops.

use std::time::Duration;

use crate::desk::{App, Desk, app_program};
use crate::harness::{Launch, tieline_program, wait};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_into_the_tray_opens_on_demand_and_frees_the_web_view_when_closed() {
    let desk = Desk::new().await;
    let mut app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.shows([
        "No machine is paired yet",
        "Open Tieline",
        "Pair a machine…",
        "-",
        "Pause notifications",
        "Start at login",
        "-",
        "Quit Tieline",
    ])
    .await;
    assert!(!desk.window_is_visible());
    assert!(!app.has_web_view(), "nobody asked for a window");

    tray.click("Open Tieline").await;
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    wait::until("its web view", SOON, || app.has_web_view().then_some(()));

    desk.close_window();
    wait::until("the web view's end", SOON, || {
        (!app.has_web_view()).then_some(())
    });
    assert!(app.runs(), "closing the window hides to the tray");

    tray.click("Pair a machine…").await;
    wait::until("the window again", SOON, || {
        desk.window_is_visible().then_some(())
    });

    tray.click("Quit Tieline").await;
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_opens_the_window_of_the_first() {
    let desk = Desk::new().await;
    let mut first = desk.start(["--background"]);
    desk.tray().await.offers("Pair a machine…").await;

    let second = desk.start([]).ended();

    assert_eq!(second.code, Some(0), "{second:?}");
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    assert!(first.runs());
    first.terminate();
    assert_eq!(first.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_works_beside_the_app_and_a_second_host_is_told_who_has_the_home() {
    let desk = Desk::new().await;
    let app = desk.start(["--background"]);
    desk.tray().await.offers("Pair a machine…").await;
    let tieline = |arguments: &[&str]| {
        let mut command = desk.command(&tieline_program());
        command.arg("--home").arg(desk.home()).args(arguments);
        command.output().expect("tieline runs")
    };

    let status = tieline(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("the status");
    assert_eq!(
        (&status["name"], &status["host"]),
        (&"mac".into(), &"app".into())
    );

    let serve = tieline(&[
        "serve",
        "--peer-addr",
        "127.0.0.1:0",
        "--api-addr",
        "127.0.0.1:0",
    ]);
    assert!(!serve.status.success());
    let said = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert!(said.contains("Tieline app"), "{said}");

    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_gives_way_to_a_host_that_has_the_home() {
    let desk = Desk::new().await;
    let serve = Launch::new("box").start();
    let mut command = desk.command(&app_program());
    command.arg("--home").arg(serve.home()).args([
        "--peer-addr",
        "127.0.0.1:0",
        "--api-addr",
        "127.0.0.1:0",
    ]);

    let ended = App::start(command, &serve.directory().join("app.log")).ended();

    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.log.contains("tieline serve") && ended.log.contains(&serve.pid().to_string()),
        "{ended:?}"
    );
    let notification = desk.notification().await;
    assert!(
        notification.summary.contains("tieline serve"),
        "{notification:?}"
    );
    assert!(!notification.body.is_empty(), "{notification:?}");
    assert!(!desk.window_is_visible());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_display_it_says_so_and_ends() {
    let desk = Desk::new().await;
    for (display, word) in [(None, "DISPLAY"), (Some(":4711"), ":4711")] {
        let mut command = desk.command(&app_program());
        command.args(desk.arguments()).env_remove("DISPLAY");
        command.envs(display.map(|name| ("DISPLAY", name)));
        let log = desk.home().with_extension(word.replace(':', ""));

        let ended = App::start(command, &log).ended();

        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.log.contains(word) && ended.log.contains("tieline serve"),
            "{ended:?}"
        );
        assert!(!ended.log.contains("panicked"), "{ended:?}");
    }
}
