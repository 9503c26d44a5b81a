//! The window's types are made from a copy of the control API's document; here it is compared.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;

#[test]
fn the_window_was_made_for_the_routes_as_they_are() {
    let kept: Value =
        serde_json::from_str(include_str!("../../../ui/schema/control.json")).unwrap();
    let document = serde_json::to_value(tieline_api::control::document()).unwrap();
    assert!(
        kept == document,
        "ui/schema/control.json is not the document of the control API any more: run `npm run schema` in ui/"
    );
}
