//! How the page is opened, and how it is closed.

use serde_json::json;

use super::chromium::Chromium;
use crate::harness::{Launch, wait};
use crate::page::serving;

#[test]
fn a_link_opens_the_page_in_a_browser_once_and_leaves_no_trace_in_it() {
    let Some(mut node) = serving(Launch::new("mac").page()) else {
        return;
    };
    let Some(browser) = Chromium::start() else {
        return;
    };
    let link = node.page_link();
    let code = link.split_once("#code=").unwrap().1;
    browser.open(&link);
    browser.shows("listens on");
    let traces = browser.evaluate(
        "return [location.href, document.cookie, JSON.stringify(history.state), JSON.stringify(sessionStorage),
                 document.documentElement.outerHTML].join('\\n')",
    );
    assert!(!traces.as_str().unwrap().contains(code), "{traces}");
    assert_eq!(browser.evaluate("return localStorage.length"), json!(0));

    // It is this tab's until it is closed: a reload goes on, another tab starts anew.
    browser.evaluate("location.reload()");
    browser.shows("listens on");
    browser.new_tab();
    browser.open(&link);
    browser.shows("PAGE_CODE_INVALID");
    browser.shows("tieline ui");
    // The fresh link that it asks for may be pasted into the same tab.
    browser.open(&node.page_link());
    browser.shows("listens on");

    // What changes comes by itself.
    browser.evaluate("location.hash = '#/pair'");
    browser.shows("Create link");
    node.tieline(["invite"]).success();
    browser.shows("left");

    // A node that was started again knows no page of before, and the page says what to do.
    node.same_ports();
    node.restart();
    browser.shows("PAGE_SESSION_ENDED");
    browser.open(&node.page_link());
    browser.shows("listens on");
}

#[test]
fn the_file_that_the_browser_is_given_leads_to_the_page() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = crate::page::opening::stand_in(directory.path(), "xdg-open", "exit 0");
    let launch = Launch::new("mac")
        .env("PATH", path)
        .env("DISPLAY", ":99")
        .page_with([]);
    let Some(node) = serving(launch) else {
        return;
    };
    let Some(browser) = Chromium::start() else {
        return;
    };
    let file = node.home().join("open-page.html");
    wait::until("the file", std::time::Duration::from_secs(20), || {
        std::fs::metadata(&file).ok().filter(|file| file.len() > 0)
    });
    browser.open(&format!("file://{}", file.display()));
    browser.shows("listens on");
}
