//! The query strings of the message routes.

use std::time::Duration;

use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{MessagePage, MessageQuery};
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::limits::MAX_WAIT;

/// Whose message is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Name of the peer that sent it; needed where several used its id.
    pub(crate) peer: Option<String>,
}

/// Which messages to list; all given conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageParams {
    /// Peer name.
    peer: Option<String>,
    /// `in` or `out`.
    direction: Option<String>,
    /// Out: `queued`, `sending`, `delivered`, `failed`, `unconfirmed`. In: `new`, `read`,
    /// `handedOver`, `acknowledged`.
    state: Option<String>,
    /// Payload type.
    r#type: Option<String>,
    /// Words that must occur in the text.
    search: Option<String>,
    /// Only incoming ones that nobody has read.
    unread: Option<bool>,
    /// Only those before this `seq`, newest first.
    before: Option<i64>,
    /// Only those after this `seq`, oldest first.
    after: Option<i64>,
    /// At most this many, 1 to 500; 50 otherwise.
    limit: Option<u32>,
    /// If there are none, wait this many seconds (at most 60) for one.
    wait: Option<f64>,
}

impl MessageParams {
    /// Answers the query, waiting if it says so; a listener that stops ends the wait.
    pub(crate) async fn answer(
        self,
        node: &Node,
        stop: &CancellationToken,
    ) -> Result<MessagePage, Problem> {
        let (query, wait) = self.check()?;
        match wait {
            None => node.messages(query).await,
            Some(wait) => tokio::select! {
                page = node.wait_messages(query.clone(), wait) => page,
                () = stop.cancelled() => node.messages(query).await,
            },
        }
    }

    fn check(self) -> Result<(MessageQuery, Option<Duration>), Problem> {
        let one_of = |field: &str, value: &Option<String>, known: &[&str]| match value {
            Some(value) if !known.contains(&value.as_str()) => Err(invalid(format!(
                "`{field}` must be one of {}, not {value:?}.",
                known.join(", ")
            ))),
            _ => Ok(()),
        };
        one_of("direction", &self.direction, &["in", "out"])?;
        one_of("state", &self.state, &STATES)?;
        if self.limit.is_some_and(|limit| !(1..=500).contains(&limit)) {
            return Err(invalid("`limit` must be between 1 and 500."));
        }
        if self.before.is_some() && self.after.is_some() {
            return Err(invalid("`before` and `after` cannot be used together."));
        }
        let wait = match self.wait {
            None => None,
            Some(seconds) if seconds.is_finite() && seconds >= 0.0 => {
                Some(Duration::from_secs_f64(seconds.min(MAX_WAIT.as_secs_f64())))
            }
            Some(_) => return Err(invalid("`wait` must be a number of seconds.")),
        };
        let query = MessageQuery {
            peer: self.peer,
            direction: self.direction,
            state: self.state,
            r#type: self.r#type,
            search: self.search.filter(|words| !words.trim().is_empty()),
            unread: self.unread,
            before: self.before,
            after: self.after,
            limit: self.limit,
        };
        Ok((query, wait))
    }
}

const STATES: [&str; 9] = [
    "queued",
    "sending",
    "delivered",
    "failed",
    "unconfirmed",
    "new",
    "read",
    "handedOver",
    "acknowledged",
];

fn invalid(what: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidRequest).summary(what.into())
}
