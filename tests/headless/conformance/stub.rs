//! A KithKit machine on the LAN, as far as a sender sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tieline_wire::kithkit;

/// The stub. Its thread ends with the test process.
pub(super) struct Stub {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    body: Vec<u8>,
    signature: Option<String>,
    secret: String,
}

impl Received {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn is_signed(&self) -> bool {
        let signature = self.signature.as_deref();
        signature.is_some_and(|given| kithkit::check(self.secret.as_bytes(), &self.body, given))
    }
}

impl Stub {
    /// Starts what the case file describes: `closed`, `enforce`, or a fixed `reply`.
    pub(super) fn start(peer: &Value, secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::default();
        if peer["closed"] != true {
            let behaviour = Behaviour::of(peer, secret);
            let received = Arc::clone(&received);
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    // A sender that hangs up early is its own affair.
                    let _ = behaviour.serve(stream, &received);
                }
            });
        }
        Self { port, received }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.received.lock().unwrap().clear();
    }
}

struct Behaviour {
    status: u64,
    kind: String,
    reply: String,
    enforce: bool,
    secret: String,
}

impl Behaviour {
    fn of(peer: &Value, secret: &str) -> Self {
        let reply = &peer["reply"];
        let accepted = json!({"ok": true, "queued": false});
        Self {
            status: reply["status"].as_u64().unwrap_or(200),
            kind: reply["type"]
                .as_str()
                .unwrap_or("application/json")
                .to_owned(),
            reply: match (&reply["text"], &reply["json"]) {
                (Value::String(text), _) => text.clone(),
                (_, Value::Null) => accepted.to_string(),
                (_, json) => json.to_string(),
            },
            enforce: peer["enforce"] == true,
            secret: secret.to_owned(),
        }
    }

    fn serve(&self, stream: TcpStream, received: &Mutex<Vec<Received>>) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream);
        let mut request_line = String::new();
        reader.read_line(&mut request_line)?;
        let (mut length, mut signature) = (0, None);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(std::io::Error::other)?,
                "x-signature" => signature = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let message = Received {
            body,
            signature,
            secret: self.secret.clone(),
        };
        let is_message = request_line.starts_with("POST /agent/message ");
        let refused = self.enforce && !message.is_signed();
        if is_message {
            received.lock().unwrap().push(message);
        }
        let unsigned = json!({"ok": false, "error": "Signature required"}).to_string();
        let (status, reply) = match (is_message, refused) {
            (false, _) => (404, r#"{"error":"Not found"}"#),
            (true, true) => (401, unsigned.as_str()),
            (true, false) => (self.status, self.reply.as_str()),
        };
        write!(
            reader.get_mut(),
            "HTTP/1.1 {status} X\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reply}",
            self.kind,
            reply.len()
        )
    }
}
