//! What an ask between two nodes cannot do without, and nothing else.

use std::path::Path;

use anyhow::Result;
use bytes::Bytes;

use super::null::NullResponder;
use super::series::{Case, Series, series};
use crate::floor::{FloorServer, Row};
use crate::workload::{AskWorkload, TEXT};

/// A durable question, the responder, and a durable answer, one ask at a time: each of the two is
/// a commit here, a round trip with a commit there, and a commit here.
pub(crate) async fn series_of(
    floor: &FloorServer,
    floor_dir: &Path,
    null: &NullResponder,
    dir: &Path,
    workload: &AskWorkload,
) -> Result<Series> {
    let rows = Row::open(&dir.join("bare.db"))?;
    let client = floor.connector(floor_dir)?.connect().await?;
    let body = Bytes::from_static(TEXT.as_bytes());
    series(vec![client], Case::ALONE, workload, async |client| {
        rows.commit()?;
        client.store(body.clone()).await?;
        rows.commit()?;
        null.ask().await?;
        rows.commit()?;
        client.store(body.clone()).await?;
        rows.commit()
    })
    .await
}
