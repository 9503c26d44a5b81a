//! HTTP to one address on this machine, chosen by the person.
//!
//! Exactly the configured origin is contacted: no redirect is followed, no proxy is used, no name
//! is looked up, and nothing of a peer becomes part of the address or of a header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

/// An origin on this machine, and the path below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `host:port` as the person wrote it, for the `Host` header.
    authority: String,
    addresses: Vec<IpAddr>,
    port: u16,
    path: String,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoopbackError {
    /// Nothing listens there.
    #[error("{place} did not answer: {reason}.")]
    Unreachable { place: String, reason: String },
    /// It broke off, or does not speak HTTP.
    #[error("The exchange with {place} broke off: {reason}.")]
    Broken { place: String, reason: String },
    /// It said more than it may.
    #[error("{place} answered with more than {most} bytes.")]
    TooMuch { place: String, most: usize },
}

impl Place {
    /// Reads `http://HOST:PORT/path`. Only plain HTTP: the address is on this machine.
    ///
    /// # Errors
    /// `INVALID_REQUEST`.
    pub(crate) fn parse(url: &str) -> Result<Self, Problem> {
        let wrong = |text: &str| Problem::new(Code::InvalidRequest).because(text.to_owned());
        let uri: http::Uri = url
            .parse()
            .map_err(|_| wrong("The address cannot be read."))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong(
                "The address begins with http:// and is on this machine.",
            ));
        }
        let authority = uri
            .authority()
            .ok_or_else(|| wrong("The address has no host."))?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong("The address has no user name and no query."));
        }
        let host = authority.host();
        // The name is not looked up: what it leads to must not depend on anybody's name service.
        let addresses = if host.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
            address.into_iter().filter(IpAddr::is_loopback).collect()
        };
        if addresses.is_empty() {
            return Err(wrong(
                "The address must be on this machine: 127.0.0.1, [::1] or localhost.",
            ));
        }
        // The parser takes a number that is no port for none at all.
        let port = match authority.as_str()[host.len()..].strip_prefix(':') {
            None => 80,
            Some(digits) => match digits.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(wrong("The address has no usable port.")),
            },
        };
        Ok(Self {
            authority: authority.as_str().to_owned(),
            addresses,
            port,
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Posts JSON to the path below it; the answer's head, and its body as it comes. Dropping the
    /// answer, or the future, closes the connection.
    ///
    /// # Errors
    /// [`LoopbackError`].
    pub(crate) async fn post(
        &self,
        below: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, LoopbackError> {
        let broken = |reason: String| self.broken(reason);
        let path = match format!("{}{below}", self.path) {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broken(error.to_string()))?;
        request.headers_mut().extend(headers);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect().await?))
                .await
                .map_err(|error| broken(error.to_string()))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(connection));
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(error.to_string()))?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            place: self.authority.clone(),
            body,
            _driver: driver,
        })
    }

    async fn connect(&self) -> Result<TcpStream, LoopbackError> {
        let mut reason = String::new();
        for address in &self.addresses {
            match TcpStream::connect((*address, self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(LoopbackError::Unreachable {
            place: self.authority.clone(),
            reason,
        })
    }

    fn broken(&self, reason: String) -> LoopbackError {
        LoopbackError::Broken {
            place: self.authority.clone(),
            reason,
        }
    }
}

/// An answer whose body may still be coming.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status; no redirect is followed.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    place: String,
    body: Incoming,
    _driver: AbortOnDropHandle<Result<(), hyper::Error>>,
}

impl Answer {
    /// The next part of the body; `None` at its end.
    ///
    /// # Errors
    /// [`LoopbackError::Broken`].
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, LoopbackError> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| LoopbackError::Broken {
                place: self.place.clone(),
                reason: error.to_string(),
            })?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`LoopbackError`], also for one of more than `most` bytes.
    pub(crate) async fn whole(mut self, most: usize) -> Result<Bytes, LoopbackError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > most {
                return Err(LoopbackError::TooMuch {
                    place: self.place,
                    most,
                });
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called() {
        let place = Place::parse("http://127.0.0.1:11434/v1/").unwrap();
        assert_eq!((place.path.as_str(), place.port), ("/v1", 11_434));
        assert!(Place::parse("http://[::1]:1234").is_ok());
        assert!(Place::parse("http://LOCALHOST:8080/in").is_ok());
        for bad in [
            "https://127.0.0.1/v1",
            "http://example.com/v1",
            "http://10.0.0.1/v1",
            "http://0.0.0.0:80/",
            "http://user@127.0.0.1/v1",
            "http://127.0.0.1/v1?key=x",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:99999/",
            "file:///etc/passwd",
            "127.0.0.1:80",
            "",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
