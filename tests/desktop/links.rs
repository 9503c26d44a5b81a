//! Links that are clicked outside the app, and desktops that show no tray.

use std::time::Duration;

use crate::desk::Desk;
use crate::harness::{Machine, wait};
use crate::pairing::{own_words, words};
use crate::window::Window;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_clicked_shows_the_words_and_does_nothing_by_itself() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let mut window = Window::open(&desk, []);
    window.shows("Pair a machine");
    let link = serve.tieline(["invite"]).success().line();

    // What a page adds to its link is no option of ours: then there is no link either.
    let refused = desk.start_for_link(&link, &["--name", "evil"]).ended();
    assert_ne!(refused.code, Some(0), "{refused:?}");
    window.shows("Pair a machine");

    // The desktop starts the app once more, with the link; the one that runs takes it.
    let second = desk.start_for_link(&link, &[]).ended();

    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(!second.log.contains(&link), "{second:?}");
    window.has("//*[@data-testid='words']");
    assert_eq!(words(&window), own_words(&serve));
    assert_eq!(desk.tieline(&["peers"]), "", "nothing was joined");
    let address = window.evaluate("return location.href");
    let secret = link.rsplit('#').next().expect("a secret");
    assert!(
        !address.as_str().expect("an address").contains(secret),
        "{address}"
    );
    window.click("Same words: join box");
    assert!(
        window
            .text_of("join-result")
            .contains("box is paired with mac")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_shows_a_tray_the_window_stays_reachable_and_it_is_told_once() {
    let desk = Desk::without_tray_host().await;
    let mut app = desk.start([]);
    wait::until("the window", SOON, || {
        desk.window_is_visible().then_some(())
    });
    wait::until("its web view", SOON, || app.has_web_view().then_some(()));

    let told = desk.notification().await;
    assert_eq!(told.summary, "Tieline runs without an icon");
    assert!(told.body.contains("Start Tieline again"), "{told:?}");
    desk.close_window();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        app.has_web_view(),
        "closed for good, there would be no way back in"
    );
    wait::until("that to be remembered", SOON, || {
        desk.home()
            .join("told-of-missing-tray")
            .exists()
            .then_some(())
    });
    assert_eq!(
        desk.start([]).ended().code,
        Some(0),
        "a second start opens the first"
    );
    assert!(app.runs());
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}
