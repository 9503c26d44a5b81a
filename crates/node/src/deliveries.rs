//! Outgoing messages with their way: every try and every receipt.

use tieline_store::messages::{self, Cursor, Direction, Evidence, Filter, State, Tried};
use tieline_store::{attempts, receipts};
use tieline_wire::problem::{Code, Problem};

use crate::model::{DeliveryPage, DeliveryQuery, DeliveryView};
use crate::node::Node;
use crate::queries::names;
use crate::views::{self, unsigned};

/// Tries shown of one message.
const TRIES: u32 = 20;
/// Messages on a page, where the caller does not say.
const PAGE: u32 = 30;
/// Most messages on a page.
const MOST: u32 = 100;

impl Node {
    /// Outgoing messages with their way, newest first.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a filter that is none, and those of the store.
    pub async fn deliveries(&self, query: DeliveryQuery) -> Result<DeliveryPage, Problem> {
        let filter = self.delivery_filter(&query)?;
        let (rows, more, names) = self
            .store
            .read(move |conn| {
                let page = messages::list(conn, &filter)?;
                let mut rows = Vec::with_capacity(page.messages.len());
                for row in page.messages {
                    let tries = attempts::last(conn, row.seq, TRIES)?;
                    let receipts = receipts::list(conn, row.seq)?;
                    rows.push((row, tries, receipts));
                }
                Ok((rows, page.more, names(conn)?))
            })
            .await?;
        let deliveries: Vec<_> = rows
            .into_iter()
            .map(|(row, (attempts, count), receipts)| DeliveryView {
                message: self.message_view(row, &names),
                attempts: attempts
                    .into_iter()
                    .map(|(ordinal, attempt)| views::attempt(ordinal, attempt))
                    .collect(),
                attempt_count: unsigned(count),
                receipts: receipts.iter().filter_map(views::receipt).collect(),
            })
            .collect();
        let last = deliveries.last().map(|delivery| delivery.message.seq);
        Ok(DeliveryPage {
            next: last.filter(|_| more),
            deliveries,
        })
    }

    fn delivery_filter(&self, query: &DeliveryQuery) -> Result<Filter, Problem> {
        let peer = match &query.peer {
            Some(name) => Some(self.peer_named(name)?.id),
            None => None,
        };
        let states = match query.state.as_deref() {
            None => Vec::new(),
            Some("queued") => vec![State::Queued, State::Sending],
            Some("sending") => vec![State::Sending],
            Some("delivered") => vec![State::Delivered],
            Some("failed") => vec![State::Failed],
            Some("unconfirmed") => vec![State::Unconfirmed],
            Some(_) => return Err(wrong("An outgoing message has no such state.")),
        };
        let lan = |via| Tried {
            route: "lan",
            via: Some(via),
        };
        let tried = match query.over.as_deref() {
            None => None,
            Some("direct") => Some(lan("direct")),
            Some("held") => Some(lan("held")),
            Some("relay") => Some(Tried {
                route: "relay",
                via: None,
            }),
            Some(_) => return Err(wrong("`over` is `direct`, `held` or `relay`.")),
        };
        let evidence = match query.evidence.as_deref() {
            None => None,
            Some("signed") => Some(Evidence::Signed),
            Some("claimed") => Some(Evidence::Claimed),
            Some("none") => Some(Evidence::None),
            Some(_) => return Err(wrong("`evidence` is `signed`, `claimed` or `none`.")),
        };
        let limit = query.limit.unwrap_or(PAGE);
        if !(1..=MOST).contains(&limit) {
            return Err(wrong("`limit` must be between 1 and 100."));
        }
        Ok(Filter {
            peer,
            direction: Some(Direction::Out),
            states,
            evidence,
            tried,
            cursor: query.before.map_or(Cursor::Newest, Cursor::Before),
            limit,
            payload: true,
            ..Filter::default()
        })
    }
}

fn wrong(what: &'static str) -> Problem {
    Problem::new(Code::InvalidRequest).because(what)
}
