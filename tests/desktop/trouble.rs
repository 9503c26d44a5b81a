//! Bad days: what is broken is shown with what to do, and nothing is replaced.

use crate::desk::Desk;
use crate::harness::{Machine, tieline_program, wait};
use crate::window::Window;

const SOON: std::time::Duration = std::time::Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_shown_and_kept() {
    let desk = Desk::new().await;
    let app = desk.start(["--background"]);
    desk.tray().await.offers("Pair a machine…").await;
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
    let database = desk.home().join("tieline.db");
    let garbage = vec![0x5a_u8; 64 * 1024];
    std::fs::write(&database, &garbage).expect("the database is overwritten");

    let window = Window::open(&desk, []);

    window.shows("Tieline could not start");
    window.shows("STORE_DAMAGED");
    window.picture("damaged");
    desk.tray().await.offers("Quit Tieline").await;
    let kept = std::fs::read_dir(desk.home())
        .expect("the home")
        .flatten()
        .any(|entry| std::fs::read(entry.path()).is_ok_and(|bytes| bytes == garbage));
    assert!(kept, "the damaged file is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_is_not_there_is_shown_and_nothing_takes_its_place() {
    let desk = Desk::new().await.vault("keychain");

    let mut window = Window::open(&desk, []);

    window.shows("Tieline could not start");
    window.shows("VAULT_ABSENT");
    window.picture("vault-absent");
    desk.tray().await.offers("Quit Tieline").await;
    window.click("Try again");
    window.shows("VAULT_ABSENT");
    let made = std::fs::read_dir(desk.home()).expect("the home").flatten();
    let names: Vec<_> = made.map(|entry| entry.file_name()).collect();
    assert!(!names.iter().any(|name| name == "vault.json"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_none_and_one_that_has_been_used_are_explained() {
    let desk = Desk::new().await;
    let (inviter, other) = (Machine::start("box"), Machine::start("other"));
    let link = inviter.tieline(["invite"]).success().line();
    other.tieline_with_stdin(["join"], &link).success();
    let mut window = Window::open(&desk, []);
    window.click("Pair a machine");
    window.click("Use a link");

    window.fill("Link from the other machine", "https://example.org/");
    window.shows("LINK_INVALID");
    window.picture("link-invalid");

    window.evaluate("document.querySelector('textarea').select()");
    window.fill("Link from the other machine", &link);
    window.click("Same words: join box");
    window.shows("INVITE_USED");
    window.picture("link-used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_come_up_is_explained() {
    let desk = Desk::new().await;
    let app = desk.start([]);
    // The web view's process hangs before it has loaded anything.
    let hung = app.stop_web_view();

    let told = desk.notification().await;

    assert_eq!(told.summary, "Tieline's window stays empty");
    assert!(
        told.body.contains("WEBKIT_DISABLE_DMABUF_RENDERER"),
        "{told:?}"
    );
    desk.tray().await.click("Quit Tieline").await;
    assert_eq!(app.ended().code, Some(0));
    drop(hung);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tray_the_window_stays_and_offers_to_quit() {
    let desk = Desk::new().await;
    let mut app = desk.start(["--no-tray"]);
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    wait::until("its web view", SOON, || app.has_web_view().then_some(()));
    desk.close_window();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(app.runs());
    assert!(app.has_web_view(), "the window is the only way back in");
    app.terminate();
    assert_eq!(app.ended().code, Some(0));

    Window::open(&desk, ["--no-tray"]).click_goodbye("Quit Tieline");
    let mut status = desk.command(&tieline_program());
    status.arg("--home").arg(desk.home()).arg("status");
    wait::until("the engine's end", SOON, || {
        let output = status.output().expect("tieline runs");
        (!output.status.success()).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_can_reach_nothing_but_its_own_commands() {
    let desk = Desk::new().await;
    let window = Window::open(&desk, []);
    window.shows("Pair a machine");
    let refused = |script: &str| {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             Promise.resolve().then(async () => {{ {script} }}).then(() => done('done'), (error) => done('refused: ' + error));"
        );
        window
            .evaluate_async(&script)
            .as_str()
            .expect("an answer")
            .to_owned()
    };

    for script in [
        "await window.__TAURI_INTERNALS__.invoke('plugin:event|listen', {event: 'x', target: {kind: 'Any'}, handler: 1})",
        "await window.__TAURI_INTERNALS__.invoke('plugin:window|create', {options: {label: 'x'}})",
        "await window.__TAURI_INTERNALS__.invoke('plugin:webview|create_webview_window', {options: {label: 'x'}})",
        "await window.__TAURI_INTERNALS__.invoke('nothing_of_ours')",
        "await fetch('https://example.org/')",
        "await fetch('http://127.0.0.1:3847/health')",
        "new Function('return 1')()",
    ] {
        let outcome = refused(script);
        assert!(outcome.starts_with("refused"), "{script}: {outcome}");
    }
    // And the events never come through the one command for requests.
    let outcome = refused(
        "const answer = await window.__TAURI_INTERNALS__.invoke('api', new Uint8Array(), \
         {headers: {'x-method': 'GET', 'x-path': '/control/events'}})",
    );
    assert!(outcome.starts_with("refused"), "{outcome}");
}
