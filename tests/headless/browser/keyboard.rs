//! The whole pairing by keyboard alone: what a person without a mouse does, and nothing else.

use serde_json::Value;

use super::chromium::Chromium;
use crate::harness::{Launch, Machine};
use crate::page::serving;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const CONTROL: char = '\u{e009}';
/// Presses of Tab after which a person has given up.
const MOST_TABS: usize = 60;

/// Somebody at the keyboard.
struct Typist<'a> {
    browser: &'a Chromium,
    pressed: Vec<String>,
}

impl Typist<'_> {
    /// Presses Tab until the focus is on what has this name, as a screen reader says it.
    fn to(&mut self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..MOST_TABS {
            self.browser.press(&[TAB]);
            let focus = self.focus();
            let here = focus["name"].as_str().unwrap_or_default().to_owned();
            assert!(
                focus["visible"] == true || focus["tag"] == "BODY",
                "the focus on {focus} cannot be seen"
            );
            if here == name {
                self.pressed.push(format!("Tab to {name}"));
                return;
            }
            passed.push(here);
        }
        panic!("Tab never came to {name:?}, only to {passed:?}");
    }

    fn enter(&mut self, name: &str) {
        self.to(name);
        self.press("Enter", &[ENTER]);
    }

    fn press(&mut self, what: &str, keys: &[char]) {
        self.browser.press(keys);
        self.pressed.push(what.to_owned());
    }

    /// What has the focus, and whether that can be seen.
    fn focus(&self) -> Value {
        self.browser.evaluate(
            "const element = document.activeElement ?? document.body;
             const label = element.id && document.querySelector(`label[for='${element.id}']`);
             const name = element.getAttribute('aria-label') ?? label?.innerText ?? element.innerText;
             const style = getComputedStyle(element);
             const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
             const box = element.getBoundingClientRect();
             return {
               tag: element.tagName,
               name: name.trim(),
               visible: (outlined || style.boxShadow !== 'none') && box.width > 0 && box.height > 0,
             };",
        )
    }
}

#[test]
fn two_nodes_are_paired_by_keyboard_alone() {
    let Some(mac) = serving(Launch::new("mac").page()) else {
        return;
    };
    let Some(browser) = Chromium::start() else {
        return;
    };
    let wsl = Launch::new("box").page().start();
    let at_mac = browser.tab();
    browser.open(&mac.page_link());
    browser.shows("listens on");
    let at_box = browser.new_tab();
    browser.open(&wsl.page_link());
    browser.shows("listens on");
    let mut typist = Typist {
        browser: &browser,
        pressed: Vec::new(),
    };

    browser.to_tab(&at_mac);
    typist.enter("Pair a machine");
    browser.shows("Create link");
    typist.enter("Create link");
    browser.shows("Copy link");
    typist.enter("Copy link");
    browser.shows("Copied");

    browser.to_tab(&at_box);
    typist.enter("Pair a machine");
    browser.shows("Create link");
    typist.enter("Use a link");
    browser.shows("Link from the other machine");
    typist.to("Link from the other machine");
    typist.press("Ctrl+V", &[CONTROL, 'v']);
    browser.shows("Does mac show the same words?");
    assert_eq!(
        words(&browser),
        own_words(&mac),
        "the inviter's words, before joining"
    );
    typist.enter("Same words: join mac");
    browser.shows("mac is paired with box");

    browser.to_tab(&at_mac);
    browser.shows("has joined with your link");
    assert_eq!(words(&browser), own_words(&wsl));
    typist.enter("Keep box");
    browser.shows("box is paired with mac");

    println!("{}", typist.pressed.join("\n"));
    assert_eq!(mac.tieline(["ping", "box"]).success().code, Some(0));
    assert_eq!(wsl.tieline(["ping", "mac"]).success().code, Some(0));
}

/// The fingerprint words that the page shows.
fn words(browser: &Chromium) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-testid=words] li')].map((li) => li.lastChild.data)";
    serde_json::from_value(browser.evaluate(script)).expect("words")
}

/// The fingerprint words that a node says of itself.
fn own_words(machine: &Machine) -> Vec<String> {
    let status = machine.tieline(["status", "--json"]).success().json();
    serde_json::from_value(status["words"].clone()).expect("words")
}
