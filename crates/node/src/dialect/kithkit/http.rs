//! One exchange with one address of a KithKit peer.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;

use crate::clock::{Instant, wall_now};
use crate::exchange::{Try, problem_sentence};
use crate::line::ExchangeError;
use crate::model::Via;

/// Time for connecting to one address, and for a whole exchange with it, as the real daemon's.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends a request, and says how that went.
pub(super) async fn ask(
    address: &Address,
    request: Request<Full<Bytes>>,
) -> (Result<(StatusCode, Bytes), ExchangeError>, Try) {
    let mut this = Try {
        via: Some(Via::Direct),
        address: Some(address.to_string()),
        started_at: wall_now(),
        took: Duration::ZERO,
        connect: None,
        tls: None,
        auth: None,
        store: None,
        problem: None,
    };
    let started = Instant::now();
    let asked = tokio::time::timeout(WHOLE, exchange(address, request, &mut this)).await;
    this.took = started.elapsed();
    let answered = asked.unwrap_or_else(|_| {
        let sent = this.connect.is_some();
        Err(ExchangeError {
            problem: Problem::new(Code::ResponseTimeout),
            sent,
        })
    });
    (answered, this)
}

async fn exchange(
    address: &Address,
    request: Request<Full<Bytes>>,
    this: &mut Try,
) -> Result<(StatusCode, Bytes), ExchangeError> {
    let unsent = |code: Code, text: String| ExchangeError {
        problem: Problem::new(code)
            .because(text)
            .with("address", address.to_string()),
        sent: false,
    };
    let started = Instant::now();
    let connecting = TcpStream::connect((address.host(), address.port()));
    let stream = match tokio::time::timeout(CONNECT, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(unsent(Code::ConnectRefused, format!("{error}.")));
        }
        Ok(Err(error)) => return Err(unsent(Code::Unreachable, format!("{error}."))),
        Err(_) => return Err(unsent(Code::ConnectTimeout, "No answer within 5 s.".into())),
    };
    this.connect = Some(started.elapsed());
    let asked = Instant::now();
    let broke = |error: hyper::Error| ExchangeError {
        problem: Problem::new(Code::ResponseInvalid).because(problem_text(&error)),
        sent: true,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let driver = tokio::spawn(connection);
    let answered = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(broke)?
            .into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| ExchangeError {
                problem: Problem::new(Code::ResponseInvalid).because(format!("{error}.")),
                sent: true,
            })?;
        Ok((head.status, body.to_bytes()))
    }
    .await;
    driver.abort();
    this.store = Some(asked.elapsed());
    answered
}

/// What went wrong, without the request that it went wrong with.
fn problem_text(error: &hyper::Error) -> String {
    let problem = Problem::new(Code::ResponseInvalid).because(format!("{error}."));
    problem_sentence(&problem)
}
