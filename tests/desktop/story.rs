//! Two people with two machines: each desktop has its own display, session bus, home and Secret
//! Service. Everything is done with clicks and the clipboard; the test asks no API of either.

use std::time::Duration;

use crate::desk::Desk;
use crate::harness::wait;
use crate::pairing::words;
use crate::window::Window;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn two_people_pair_talk_and_keep_secrets_with_clicks_alone() {
    let mac = Desk::new().await.with_keychain().await;
    let other = Desk::new().await.named("box").with_keychain().await;
    let mut here = Window::open(&mac, []);
    let mut there = Window::open(&other, []);
    for window in [&here, &there] {
        window.shows("Welcome to Tieline");
        assert!(window.text_of("vault").contains("Secret Service"));
    }

    here.choose("Pair a machine");
    let before = here.log().len();
    here.click("Create link");
    here.click("Copy link");
    here.shows("Copied");
    let link = mac.clipboard();
    assert!(link.starts_with("tieline://join#"), "{link}");

    there.choose("Join with a link");
    let joining = there.log().len();
    other.put_on_clipboard(&link);
    there.click("Paste");
    there.has("//*[@data-testid='words']");
    let shown = words(&there);
    there.click("Same words: join mac");
    assert!(
        there
            .text_of("join-result")
            .contains("mac is paired with box")
    );

    here.shows("has joined with your link");
    here.click("Keep box");
    assert!(here.text_of("paired").contains("box is paired with mac"));
    let clicks = (here.log().len() - before, there.log().len() - joining);
    assert!(
        clicks.0 <= 3 && clicks.1 <= 2,
        "{clicks:?}: three clicks, and one with a paste"
    );
    assert_eq!(shown.len(), 24);
    wait::until(
        "the link is off the clipboard it was copied to",
        SOON,
        || (mac.clipboard() != link).then_some(()),
    );

    there.click("Open mac");
    there.fill("Test message to mac", "good morning");
    there.click("Send");
    assert!(there.text_of("send-result").contains("Delivered"));
    there.click("See its way");
    assert!(there.text_of("attempts").contains("Arrived"));

    here.click("Open box");
    here.click("Ping");
    assert!(here.text_of("ping-result").contains("box answered in"));
    here.go_to("Messages");
    here.shows("good morning");
    here.picture("story-received");

    println!(
        "mac: {}\nbox: {}",
        here.log().join(", "),
        there.log().join(", ")
    );
    for desk in [&mac, &other] {
        let vault = std::fs::read_to_string(desk.home().join("vault.json")).expect("the vault");
        assert!(vault.contains("keychain"), "{vault}");
    }
}
