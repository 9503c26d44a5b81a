//! What a report gives away: nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::start;

use tieline_node::model::{OnFailure, RouteChoice, SendCommand};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn message(to: &str, text: &str) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Fail,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_has_no_secret_link_text_name_or_key_in_it() {
    tracing_subscriber::registry()
        .with(tieline_node::log::layer())
        .init();
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "annas-mac").await;
    let b = start(b_home.path(), "bobs-box").await;
    let used = b.create_invite(None).await.unwrap().link.unwrap();
    a.join(&used).await.unwrap();
    b.keep("annas-mac").await.unwrap();
    a.set_secret("credential-x", "correct-horse-battery")
        .await
        .unwrap();
    let open = a.create_invite(None).await.unwrap().link.unwrap();
    a.send(message("bobs-box", "the launch code is 4711"))
        .await
        .unwrap();
    b.shutdown().await;
    a.send(message("bobs-box", "are you there, Bob?"))
        .await
        .unwrap_err();
    let status = a.status().await.unwrap();
    let peer = a.peer("bobs-box").await.unwrap();
    a.rename("bobs-box", "bobs-new-box").await.unwrap();
    let address = |text: &str| text.parse().unwrap();
    a.set_addresses("bobs-new-box", vec![address("bobs-cellar.invalid:3100")])
        .await
        .unwrap();
    a.send(message("bobs-new-box", "and now, Bob?"))
        .await
        .unwrap_err();
    a.set_own_name("annas-laptop").await.unwrap();
    a.remove("bobs-new-box").await.unwrap();
    tracing::warn!("The name bobs-cellar.invalid could not be resolved");
    tracing::warn!(peer = "bobs-new-box", own = "annas-laptop", "gone");
    // What should never be logged is struck out where it is.
    tracing::warn!(link = %open, token = %a.api_token(), peer = "bobs-box", "a careless line");

    let report = a.report().await.unwrap();
    for absent in [
        used.as_str(),
        open.as_str(),
        "tieline://",
        a.api_token().as_str(),
        "correct-horse-battery",
        "launch code",
        "are you there",
        "annas-mac",
        "annas-laptop",
        "bobs-box",
        "bobs-new-box",
        "bobs-cellar",
        status.key_id.as_str(),
        status.pin.as_str(),
        status.fingerprint.as_str(),
        status.home.as_str(),
        peer.key_id.as_deref().unwrap(),
        peer.fingerprint.as_deref().unwrap(),
        &status.words[..3].join(" "),
    ] {
        assert!(
            !report.contains(absent),
            "{absent:?} is in the report:\n{report}"
        );
    }
    for present in [
        "Tieline 0.0.0",
        "former-",
        "a careless line",
        "- peers: 127.0.0.1:",
    ] {
        assert!(
            report.contains(present),
            "{present:?} is not in the report:\n{report}"
        );
    }

    let view = a.diagnostics().await.unwrap();
    assert_eq!(view.database.messages, 3);
    assert!(view.database.bytes > 0);
    assert_eq!(view.recent.first().unwrap().peer, "bobs-new-box");
    assert!(view.limits.iter().any(|limit| limit.unit == "bytes"));
    a.shutdown().await;
}
