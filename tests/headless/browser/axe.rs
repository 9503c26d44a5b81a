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

/// Every violation on the page that is shown, in a sentence each.
pub(crate) fn violations(browser: &Chromium, source: &str) -> Vec<String> {
    if browser.evaluate("return typeof window.axe") != "object" {
        browser.evaluate(source);
    }
    let found = browser.evaluate_async(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { resultTypes: ['violations'] }).then(
           (results) => done(results.violations.flatMap((rule) => rule.nodes.map((node) =>
             `${rule.id} (${rule.impact}): ${node.html.slice(0, 160)} — ${node.failureSummary.replace(/\\s+/g, ' ')}`))),
           (error) => done([`axe failed: ${error}`]),
         );",
    );
    let found: Vec<Value> = found.as_array().cloned().expect("a list");
    found
        .iter()
        .map(|line| line.as_str().unwrap_or_default().to_owned())
        .collect()
}
