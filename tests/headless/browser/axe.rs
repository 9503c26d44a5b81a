//! What axe-core finds on a page.

use serde_json::Value;

use super::chromium::Chromium;
use crate::harness::skip;

const SOURCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../ui/node_modules/axe-core/axe.min.js"
);

/// The source of axe-core; none where the packages of the page are not installed.
pub(crate) fn source() -> Option<String> {
    let source = std::fs::read_to_string(SOURCE).ok();
    if source.is_none() {
        skip("axe-core is not installed; `cargo xtask ui` does that");
    }
    source
}

/// The rules that the page violates, each with the first element that does.
pub(crate) fn violations(browser: &Chromium, source: &str) -> Vec<String> {
    if browser.evaluate("return typeof window.axe") != "object" {
        browser.evaluate(source);
    }
    let found = browser.evaluate_async(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { resultTypes: ['violations'] }).then(
           (results) => done(results.violations.map((rule) =>
             `${rule.id} (${rule.impact}) of ${rule.nodes.length}: ${rule.nodes[0].html.slice(0, 160)} — ` +
             rule.nodes[0].failureSummary.replace(/\\s+/g, ' '))),
           (error) => done([`axe failed: ${error}`]),
         );",
    );
    let found: Vec<Value> = found.as_array().cloned().expect("a list");
    found
        .iter()
        .map(|line| line.as_str().unwrap_or_default().to_owned())
        .collect()
}
