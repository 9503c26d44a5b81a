//! Pairing by link in the real window, by clicks, with a second real node.

use crate::desk::Desk;
use crate::harness::Machine;
use crate::window::Window;

/// The fingerprint words that the window shows.
pub(crate) fn words(window: &Window) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-testid=words] li')].map((li) => li.lastChild.data)";
    serde_json::from_value(window.evaluate(script)).expect("words")
}

/// The fingerprint words that a node says of itself.
pub(crate) fn own_words(machine: &Machine) -> Vec<String> {
    let status = machine.tieline(["status", "--json"]).success().json();
    serde_json::from_value(status["words"].clone()).expect("words")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_joins_with_a_pasted_link_pings_and_sends() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let mut window = Window::open(&desk, []);
    let link = serve.tieline(["invite"]).success().line();

    window.picture("peers-empty");
    window.click("Pair a machine");
    window.click("Use a link");
    window.fill("Link from the other machine", &link);
    window.has("//*[@data-testid='words']");
    assert_eq!(words(&window), own_words(&serve));
    window.picture("join-preview");
    window.click("Same words: join box");
    assert!(
        window
            .text_of("join-result")
            .contains("box is paired with mac")
    );
    window.picture("join-result");
    serve.tieline(["peers", "keep", "mac"]).success();

    window.click("Open box");
    window.click("Ping");
    let answered = window.text_of("ping-result");
    assert!(answered.contains("box answered in"), "{answered}");
    window.fill("Test message to box", "hello from a click");
    window.click("Send");
    assert!(window.text_of("send-result").contains("Delivered"));
    window.picture("peer");
    assert!(
        serve
            .tieline(["inbox"])
            .success()
            .stdout
            .contains("hello from a click")
    );

    window.click("See its way");
    assert!(
        window
            .text_of("message-detail")
            .contains("hello from a click")
    );
    window.has("//*[@data-stage='stored'][@data-mark='signed']");
    assert!(window.text_of("attempts").contains("Arrived"));
    window.picture("message");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_shows_a_link_copies_it_on_a_click_and_keeps_who_joins() {
    let desk = Desk::new().await;
    let serve = Machine::start("box");
    let mut window = Window::open(&desk, []);

    window.click("Pair a machine");
    window.click("Create link");
    window.shows("left");
    assert_eq!(desk.clipboard(), "", "nothing is copied without a click");
    window.picture("link");
    window.click("Copy link");
    window.shows("Copied");
    let link = desk.clipboard();
    assert!(link.starts_with("tieline://join#"), "{link}");
    let page = window.evaluate("return document.documentElement.outerHTML");
    assert!(
        !page.as_str().expect("the page").contains(&link),
        "the link stays off the screen"
    );

    serve.tieline_with_stdin(["join"], &link).success();
    window.shows("has joined with your link");
    window.has("//*[@data-testid='words']");
    assert_eq!(words(&window), own_words(&serve));
    window.picture("joined");
    window.click("Keep box");
    assert!(window.text_of("paired").contains("box is paired with mac"));
    window.picture("paired");

    // Used once, a link is worth nothing; it does not stay on the clipboard.
    crate::harness::wait::until(
        "the clipboard is cleared",
        std::time::Duration::from_secs(20),
        || (desk.clipboard() != link).then_some(()),
    );
    assert_eq!(serve.tieline(["ping", "mac"]).success().code, Some(0));

    // What comes in appears by itself.
    window.click("Messages");
    serve
        .tieline(["send", "mac", "hello from the box"])
        .success();
    window.shows("hello from the box");
    window.picture("messages");
}
