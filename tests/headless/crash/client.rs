//! One client: sends all the time, and writes down what it is told.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::Side;
use super::calls::{Calls, End};
use super::ledger::{Ledger, Message, Word};
use crate::harness::http::Request;
use crate::harness::wait::Stop;

/// A client of one node.
pub(super) struct Client<'a> {
    pub(super) side: Side,
    pub(super) number: usize,
    /// Where its node's local API listens.
    pub(super) addr: SocketAddr,
    pub(super) random: fastrand::Rng,
    pub(super) calls: &'a Calls,
    pub(super) ledger: &'a Ledger,
    pub(super) stop: &'a Stop,
}

impl Client<'_> {
    /// Sends one message after the other until it is time to stop.
    pub(super) fn run(mut self) {
        let mut count = 0;
        while !self.pause(12) {
            count += 1;
            self.send(count);
        }
    }

    /// Sends one message, and where the outcome stays open sometimes again under the same id.
    fn send(&mut self, count: usize) {
        let id = format!("{}-{}-{count}", self.side.name(), self.number);
        let message = self.message();
        self.ledger.begin(&id, message.clone());
        loop {
            let word = self.call(&id, &message);
            self.ledger.note(&id, word.clone());
            let again = match word {
                // The node is down: it is only polite to try until it is there.
                Word::NotSent => true,
                Word::Broken | Word::Unconfirmed => self.random.bool(),
                // A repeated send of what is settled must get the same answer.
                Word::Delivered | Word::Failed | Word::Queued => self.random.u8(..) < 8,
                Word::NoRoom | Word::Unexpected(_) => false,
            };
            if !again || self.pause(40) {
                return;
            }
        }
    }

    fn message(&mut self) -> Message {
        let random = &mut self.random;
        let most = if random.u8(..10) == 0 { 20_000 } else { 200 };
        let text: String = (0..random.usize(..most))
            .map(|_| random.char('!'..='\u{2ff}'))
            .collect();
        Message {
            from: self.side,
            queue: random.bool(),
            payload: json!({"type": "text", "text": text, "n": random.f64()}),
        }
    }

    fn call(&self, id: &str, message: &Message) -> Word {
        let number = self.calls.begin(self.side);
        let mut written = false;
        let answer = Request::new(self.addr, "POST", "/api/a2a/send")
            .json(&json!({
                "to": self.side.other().name(),
                "messageId": id,
                "payload": message.payload,
                "onFailure": if message.queue { "queue" } else { "fail" },
            }))
            .try_send_noting(|| {
                written = true;
                self.calls.written(number);
            });
        let (word, end) = match answer {
            Err(_) if written => (Word::Broken, End::Broken),
            Err(_) => (Word::NotSent, End::NotSent),
            Ok(answer) => match serde_json::from_slice(&answer.body) {
                Ok(body) => (word(id, answer.status, &body), end(&body)),
                // The head came through, the rest did not.
                Err(_) => (Word::Broken, End::Broken),
            },
        };
        self.calls.ended(number, end);
        word
    }

    /// Waits for up to so many milliseconds; true when it is time to stop.
    fn pause(&mut self, most: u64) -> bool {
        self.stop
            .wait(Duration::from_millis(self.random.u64(..most)))
    }
}

/// What an answer says of the message.
fn word(id: &str, status: u16, body: &Value) -> Word {
    let word = match (status, body["status"].as_str()) {
        (200, Some("delivered")) if body["evidence"] == "signed" => Word::Delivered,
        (202, Some("queued")) => Word::Queued,
        (502, Some("failed")) => Word::Failed,
        (502 | 507 | 500, Some("unconfirmed")) => Word::Unconfirmed,
        (507, None) if body["code"] == "STORE_FULL" => return Word::NoRoom,
        _ => return Word::Unexpected(format!("{status} {body}")),
    };
    if body["messageId"] == id {
        word
    } else {
        Word::Unexpected(format!("the answer for {id} is {body}"))
    }
}

/// Whether an open line to the peer broke under the request.
fn end(body: &Value) -> End {
    let attempts = body["attempts"].as_array().map(Vec::as_slice);
    let broke = attempts.unwrap_or_default().iter().any(|attempt| {
        let code = attempt["code"].as_str().unwrap_or_default();
        attempt["via"].is_string() && matches!(code, "RESPONSE_TIMEOUT" | "UNREACHABLE")
    });
    if broke { End::LineBroke } else { End::Answered }
}
