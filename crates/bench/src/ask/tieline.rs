//! Questions through the local API of one node, answered at another.

use anyhow::Result;
use bytes::Bytes;

use super::series::{Case, Series, series};
use crate::api::Api;
use crate::node::{Node, RECEIVER};
use crate::workload::{AskWorkload, TEXT};

/// One series; kept or new is the connection to the local API, the one between the nodes stays.
pub(crate) async fn series_of(sender: &Node, case: Case, workload: &AskWorkload) -> Result<Series> {
    let token = sender.run(&["token"], "").await?;
    let connect = || Api::connect(sender.api, Some(token.trim()));
    let body = question();
    if case.kept {
        let mut lanes = Vec::new();
        for _ in 0..case.at_once {
            lanes.push(connect().await?);
        }
        let ask = async |api: &mut Api| api.ask(body.clone()).await;
        series(lanes, case, workload, ask).await
    } else {
        let ask = async |(): &mut ()| connect().await?.ask(body.clone()).await;
        series(vec![(); case.at_once], case, workload, ask).await
    }
}

/// The request to ask the receiver.
pub(crate) fn question() -> Bytes {
    let body = serde_json::json!({ "to": RECEIVER, "text": TEXT });
    body.to_string().into()
}
