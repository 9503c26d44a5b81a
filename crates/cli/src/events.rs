//! Server-sent events of the node, as they come.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tieline_wire::problem::{Code, Problem};

use crate::client::broken;

/// A stream of events. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    unread: Vec<u8>,
}

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    data: String,
}

impl Event {
    /// Its data as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_str(&self.data).map_err(|error| {
            Problem::new(Code::Internal)
                .summary("The node's answer cannot be read.")
                .because(format!(
                    "{error}. The node may be of another version than this command."
                ))
        })
    }
}

impl Events {
    pub(crate) fn new(body: Incoming) -> Self {
        Self {
            body,
            unread: Vec::new(),
        }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Problem> {
        loop {
            if let Some(event) = take(&mut self.unread) {
                return Ok(Some(event));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            if let Ok(data) = frame.map_err(broken)?.into_data() {
                self.unread.extend_from_slice(&data);
            }
        }
    }
}

/// Takes the first whole event out of what was read; comments, which keep the line alive, are none.
fn take(unread: &mut Vec<u8>) -> Option<Event> {
    loop {
        let end = unread.windows(2).position(|two| two == b"\n\n")?;
        let block: Vec<u8> = unread.drain(..end + 2).collect();
        let mut event = Event::default();
        for line in String::from_utf8_lossy(&block).lines() {
            if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut event.name);
            } else if let Some(data) = line.strip_prefix("data:") {
                event.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        if !event.data.is_empty() {
            return Some(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_and_comments_passed_over() {
        let mut unread = b":\n\nevent: piece\ndata: {\"a\":1}\n\nevent: ans".to_vec();
        let event = take(&mut unread).unwrap();
        assert_eq!(
            (event.name.as_str(), event.data.as_str()),
            ("piece", r#"{"a":1}"#)
        );
        assert_eq!(take(&mut unread), None);
        unread.extend_from_slice(b"wer\ndata: 2\n\n");
        assert_eq!(take(&mut unread).unwrap().name, "answer");
        assert!(unread.is_empty());
    }
}
