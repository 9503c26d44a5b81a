//! Every page, in both themes and two widths: axe-core finds nothing wrong with it. With
//! `TIELINE_SHOTS` naming a directory, a picture of each is kept there (`cargo xtask shots`).

use std::path::PathBuf;

use serde_json::Value;

use super::axe;
use super::chromium::{Chromium, Theme};
use super::scene::{Scene, keep_picture};
use crate::harness::Machine;

/// Widths of the window, in CSS pixels.
const WIDTHS: [u32; 2] = [900, 1400];
/// Least height of the window. Pages that are longer are shown in full.
const HEIGHT: u32 = 640;

/// One page in one state.
struct Page {
    /// Name of its pictures.
    name: &'static str,
    /// Its address after `#`; `{delivered}` and `{failed}` are messages of the scene.
    route: &'static str,
    /// What it says once everything has come.
    says: &'static str,
    /// What is done on it first.
    act: fn(&Chromium, &Scene),
}

impl Page {
    const fn at(name: &'static str, route: &'static str, says: &'static str) -> Self {
        Self {
            name,
            route,
            says,
            act: |_, _| (),
        }
    }

    const fn after(self, act: fn(&Chromium, &Scene)) -> Self {
        Self { act, ..self }
    }
}

/// The pages of a node with peers. A page that the sidebar leads to has to be here.
const PAGES: &[Page] = &[
    Page::at("peers", "/peers", "wsl-box"),
    Page::at("peer", "/peers/wsl-box", "wsl-box").after(|browser, _| {
        click(browser, "Ping");
        browser.shows("answered in");
    }),
    Page::at("peer-broken", "/peers/server", "server").after(|browser, _| {
        click(browser, "Ping");
        browser.shows("CONNECT_REFUSED");
    }),
    Page::at("messages", "/messages", "question for you"),
    Page::at("conversation", "/messages/wsl-box", "Build finished"),
    Page::at(
        "message-delivered",
        "/messages/wsl-box?message={delivered}",
        "Arrived",
    ),
    Page::at(
        "message-failed",
        "/messages/server?message={failed}",
        "CONNECT_REFUSED",
    ),
    Page::at("deliveries", "/deliveries", "How full is the disk?"),
    Page::at("secrets", "/secrets", "credential-agent-comms-secret"),
    Page::at("settings", "/settings", "Who answers questions"),
    Page::at("diagnostics", "/diagnostics", "Diagnostics"),
    Page::at("pair", "/pair", "Create link"),
    Page::at("pair-join", "/pair/join", "Link from the other machine").after(|browser, scene| {
        type_into(browser, "link", &scene.invite());
        browser.shows("Same words: join wsl-box");
    }),
    Page::at("pair-swap", "/pair/swap", "Give mac's card"),
    Page::at("pair-link", "/pair", "Create link").after(|browser, _| {
        click(browser, "Create link");
        browser.shows("Copy link");
    }),
    Page::at("pair-joined", "/pair", "Copy link").after(|browser, scene| {
        let invites = scene.mac.control("GET", "/control/invites").send().json();
        let open = invites.as_array().expect("invites").iter();
        let link = open
            .filter(|invite| invite["state"] == "open")
            .find_map(|invite| invite["link"].as_str())
            .expect("the link that the page shows");
        scene.newcomer.tieline_with_stdin(["join"], link).success();
        browser.shows("Keep laptop");
    }),
];

/// The pages of a node that knows nobody yet.
const FIRST_DAY: &[Page] = &[
    Page::at("welcome", "/welcome", "How do you want to begin?"),
    Page::at("peers-empty", "/peers", "Pair"),
    Page::at("messages-empty", "/messages", "Messages appear here"),
];

#[test]
fn no_page_shuts_anybody_out() {
    let Some(axe) = axe::source() else {
        return;
    };
    let Some(browser) = Chromium::start() else {
        return;
    };
    let pictures = std::env::var_os("TIELINE_SHOTS").map(PathBuf::from);
    let Some(scene) = Scene::set_up(pictures.is_some()) else {
        return;
    };
    let mut found = Vec::new();
    let mut look = |name: &str| {
        for theme in Theme::BOTH {
            for width in WIDTHS {
                fit(&browser, width, theme);
                let shown = format!("{name}-{}-{width}", theme.name());
                let violations = axe::violations(&browser, &axe);
                found.extend(
                    violations
                        .into_iter()
                        .map(|what| format!("{shown}: {what}")),
                );
                if let Some(directory) = &pictures {
                    keep_picture(&browser, directory, &shown);
                }
            }
        }
    };

    enter(&browser, &scene.newcomer);
    for page in FIRST_DAY {
        visit(&browser, &scene, page);
        look(page.name);
    }
    enter(&browser, &scene.mac);
    let known: Vec<&str> = PAGES.iter().map(|page| page.route).collect();
    for place in places(&browser) {
        assert!(
            known.contains(&place.as_str()),
            "{place} is in the sidebar and not among the pages"
        );
    }
    for page in PAGES {
        visit(&browser, &scene, page);
        look(page.name);
    }
    browser.new_tab();
    browser.open(&format!("http://{}/#code=none", scene.newcomer.page_addr()));
    browser.shows("PAGE_CODE_INVALID");
    look("signed-out");

    assert!(
        found.is_empty(),
        "{} violations\n{}",
        found.len(),
        found.join("\n")
    );
}

/// Opens a node's page.
fn enter(browser: &Chromium, node: &Machine) {
    browser.open(&node.page_link());
    browser.shows(node.name());
}

/// Goes to a page and brings it into its state.
fn visit(browser: &Chromium, scene: &Scene, page: &Page) {
    browser.present(WIDTHS[0], HEIGHT, Theme::Light);
    browser.evaluate(&format!("location.hash = {:?}", scene.route(page.route)));
    browser.shows(page.says);
    (page.act)(browser, scene);
}

/// Sizes the window so that the whole page is seen.
fn fit(browser: &Chromium, width: u32, theme: Theme) {
    browser.present(width, HEIGHT, theme);
    let script = "return [...document.querySelectorAll('main, main *')]
        .filter((element) => getComputedStyle(element).overflowY === 'auto' || element.tagName === 'MAIN')
        .reduce((most, element) => Math.max(most, element.getBoundingClientRect().top + element.scrollHeight), 0)";
    let wanted = browser.evaluate(script).as_f64().unwrap_or_default();
    browser.present(width, (wanted.ceil() as u32).clamp(HEIGHT, 2400), theme);
    // Two frames: the new size, and what the page makes of it.
    browser.evaluate_async(
        "const done = arguments[arguments.length - 1];
         requestAnimationFrame(() => requestAnimationFrame(() => done(null)));",
    );
}

/// Where the sidebar leads.
fn places(browser: &Chromium) -> Vec<String> {
    let hrefs = browser.evaluate(
        "return [...document.querySelectorAll('nav[aria-label=Pages] a')].map((link) => link.getAttribute('href').replace(/^#/, ''))",
    );
    let hrefs: Vec<String> = serde_json::from_value(hrefs).expect("addresses");
    assert!(hrefs.len() >= 3, "{hrefs:?}");
    hrefs
}

fn click(browser: &Chromium, name: &str) {
    let script = format!(
        "const buttons = [...document.querySelectorAll('main button')];
         const wanted = buttons.find((button) => button.innerText.trim() === {name:?} && !button.disabled);
         wanted?.click();
         return wanted !== undefined"
    );
    crate::harness::wait::until(name, std::time::Duration::from_secs(30), || {
        (browser.evaluate(&script) == Value::Bool(true)).then_some(())
    });
}

fn type_into(browser: &Chromium, id: &str, text: &str) {
    browser.evaluate(&format!(
        "const field = document.getElementById({id:?});
         field.value = {text:?};
         field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    ));
}
