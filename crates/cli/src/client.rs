//! The control socket's client.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tieline_wire::problem::{Code, Problem};

use crate::events::Events;

/// Speaks with the node that runs in a home.
#[derive(Debug)]
pub(crate) struct Client {
    home: PathBuf,
}

/// An answer, not yet looked into.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON, whatever the status.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| unintelligible(&error.to_string()))
    }

    /// The problem that an answer other than 2xx carries.
    pub(crate) fn problem(&self) -> Problem {
        if let Ok(problem) = serde_json::from_slice::<Problem>(&self.body) {
            return problem;
        }
        // The documented send routes say `error` for the summary.
        let documented: Option<Problem> = self.json::<Value>().ok().and_then(|mut body| {
            let summary = body.get("error")?.clone();
            body.as_object_mut()?.insert("summary".to_owned(), summary);
            serde_json::from_value(body).ok()
        });
        documented.unwrap_or_else(|| unintelligible(&format!("The status is {}.", self.status)))
    }
}

impl Client {
    pub(crate) fn new(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    /// The home whose node is spoken to.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.successful(Method::GET, path, Bytes::new())
            .await?
            .json()
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        self.successful(Method::POST, path, to_bytes(body)?)
            .await?
            .json()
    }

    /// A request whose answer has no body, or none that matters.
    pub(crate) async fn order(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(), Problem> {
        self.successful(method, path, to_bytes(body)?)
            .await
            .map(drop)
    }

    /// A request whose answer is data, or else a problem.
    pub(crate) async fn successful(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, Problem> {
        let answer = self.request(method, path, body).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(answer.problem())
        }
    }

    /// A request whose answer the caller looks into.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, Problem> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(broken)?
            .to_bytes();
        Ok(Answer { status, body })
    }

    /// A request whose answer is server-sent events, or else a problem.
    pub(crate) async fn stream(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Events, Problem> {
        let response = self.send(Method::POST, path, to_bytes(body)?).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Events::new(response.into_body()));
        }
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(broken)?
            .to_bytes();
        Err(Answer { status, body }.problem())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Problem> {
        let stream = tieline_api::socket::connect(&self.home).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "tieline")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| {
                Problem::new(Code::InvalidRequest)
                    .summary("This cannot be asked of the node.")
                    .because(format!("{error}."))
            })?;
        sender.send_request(request).await.map_err(broken)
    }
}

/// `text` as one segment of a path: everything that is not plainly a name is escaped.
pub(crate) fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A query string of the parameters that are set, with its question mark.
pub(crate) fn query(parameters: &[(&str, Option<String>)]) -> String {
    let set: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", segment(value.as_deref()?))))
        .collect();
    if set.is_empty() {
        String::new()
    } else {
        format!("?{}", set.join("&"))
    }
}

fn to_bytes(body: &impl Serialize) -> Result<Bytes, Problem> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|error| Problem::new(Code::InvalidRequest).because(error.to_string()))
}

pub(crate) fn broken(error: hyper::Error) -> Problem {
    Problem::new(Code::NotRunning)
        .summary("The node stopped while it was answering.")
        .because(format!("{error}."))
}

fn unintelligible(why: &str) -> Problem {
    Problem::new(Code::Internal)
        .summary("The node's answer cannot be read.")
        .because(format!(
            "{why} The node may be of another version than this command."
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_queries_survive_any_text() {
        assert_eq!(segment("wsl-box"), "wsl-box");
        assert_eq!(segment("a/b?c#d%"), "a%2Fb%3Fc%23d%25");
        assert_eq!(segment("é"), "%C3%A9");
        assert_eq!(query(&[("peer", None)]), "");
        assert_eq!(
            query(&[
                ("peer", Some("a&b".to_owned())),
                ("x", None),
                ("n", Some("1".to_owned()))
            ]),
            "?peer=a%26b&n=1"
        );
    }
}
