//! The WebDriver protocol (W3C), as far as tests drive pages with it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::http::Request;
use super::wait;

/// Longest wait for a driver to start.
const START: Duration = Duration::from_secs(60);
/// The field of an element's id, from the specification.
pub const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running driver with one session.
#[derive(Debug)]
pub struct Session {
    driver: Child,
    addr: SocketAddr,
    id: String,
}

impl Session {
    /// Starts `driver` (it is given its port) and has it start what `capabilities` describe.
    #[track_caller]
    pub fn start(mut driver: Command, capabilities: &Value) -> Self {
        let addr = free_address();
        let child = driver
            .arg(format!("--port={}", addr.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut session = Self {
            driver: child,
            addr,
            id: String::new(),
        };
        wait::until("the driver", START, || TcpStream::connect(addr).ok());
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = session.call("POST", "/session", &wanted);
        let begun = begun.unwrap_or_else(|error| panic!("no session: {error}"));
        session.id = begun["sessionId"].as_str().expect("its id").to_owned();
        session
    }

    /// One command of the session: its value, or its error.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.call(method, &format!("/session/{}{path}", self.id), body)
    }

    /// A command that has to work.
    #[track_caller]
    pub fn order(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// What a script gives back. It ends with `return`.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        self.order("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same for a script that calls the last of its arguments with its result.
    #[track_caller]
    pub fn evaluate_async(&self, script: &str) -> Value {
        self.order("/execute/async", &json!({ "script": script, "args": [] }))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let request = Request::new(self.addr, method, path);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        let answer = request
            .try_send()
            .map_err(|error| json!(error.to_string()))?;
        let value = answer.json()["value"].take();
        if answer.status == 200 {
            Ok(value)
        } else {
            Err(value)
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends the browser as well. It may be gone already, and the driver with it.
        let _ = Request::new(self.addr, "DELETE", &format!("/session/{}", self.id)).try_send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}
