//! An OpenAI-compatible endpoint on this machine as responder (Ollama, LM Studio, an agent).
//!
//! Exactly the configured origin is contacted: no redirect is followed, no proxy is used, and no
//! part of the question becomes part of the address.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;

use super::{MAX_ANSWER, Question};

/// Where an endpoint is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    address: Address,
    base: String,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

impl Origin {
    /// Reads `http://HOST:PORT/base`. Only plain HTTP: the endpoint is on this machine.
    ///
    /// # Errors
    /// `INVALID_REQUEST`.
    pub(super) fn parse(url: &str) -> Result<Self, Problem> {
        let wrong = |text: &str| Problem::new(Code::InvalidRequest).because(text.to_owned());
        let uri: http::Uri = url
            .parse()
            .map_err(|_| wrong("The endpoint's address cannot be read."))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong(
                "An endpoint's address begins with http:// and is on this machine.",
            ));
        }
        let authority = uri
            .authority()
            .ok_or_else(|| wrong("The endpoint's address has no host."))?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong(
                "An endpoint's address has no user name and no query.",
            ));
        }
        let port = authority.port_u16().unwrap_or(80);
        let host = authority.host();
        let local = host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
        if !local && !host.eq_ignore_ascii_case("localhost") {
            return Err(wrong(
                "An endpoint must be on this machine: 127.0.0.1, [::1] or localhost.",
            ));
        }
        let address = Address::new(host.trim_matches(['[', ']']), port)?;
        Ok(Self {
            address,
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// Asks the endpoint.
///
/// # Errors
/// `RESPONDER_FAILED`.
pub(super) async fn run(url: &str, model: &str, question: &Question) -> Result<String, Problem> {
    let origin = Origin::parse(url)?;
    let failed = |text: String| Problem::new(Code::ResponderFailed).because(text);
    let body = serde_json::json!({
        "model": model,
        "messages": [{"role": "user", "content": question.text}],
        "stream": false,
    });
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/chat/completions", origin.base))
        .header(header::HOST, origin.address.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| failed(format!("{error}.")))?;
    let stream = TcpStream::connect((origin.address.host(), origin.address.port()))
        .await
        .map_err(|error| failed(format!("{} did not answer: {error}.", origin.address)))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(format!("{error}.")))?;
    // Ends with this function, so that an asker who hangs up also ends the model's work.
    let _driver = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(format!("{error}.")))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), 2 * MAX_ANSWER)
        .collect()
        .await
        .map_err(|error| failed(format!("{error}.")))?
        .to_bytes();
    if !status.is_success() {
        return Err(failed(format!(
            "The endpoint answered with HTTP status {}.",
            status.as_u16()
        )));
    }
    let completion: Completion = serde_json::from_slice(&body)
        .map_err(|error| failed(format!("The endpoint's answer is no completion: {error}.")))?;
    let text = completion
        .choices
        .into_iter()
        .next()
        .and_then(|choice| choice.message.content);
    match text {
        Some(text) if text.len() <= MAX_ANSWER => Ok(text),
        Some(_) => Err(failed(format!(
            "The endpoint's answer is longer than {MAX_ANSWER} bytes."
        ))),
        None => Err(failed("The endpoint's answer has no text.".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_an_endpoint() {
        assert_eq!(
            Origin::parse("http://127.0.0.1:11434/v1/").unwrap().base,
            "/v1"
        );
        assert!(Origin::parse("http://[::1]:1234").is_ok());
        for bad in [
            "https://127.0.0.1/v1",
            "http://example.com/v1",
            "http://user@127.0.0.1/v1",
            "http://127.0.0.1/v1?key=x",
            "http://127.0.0.1.example.com/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
