//! Dialling a peer: all its addresses are raced with a short stagger, the last good one first.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;

use crate::clock::Instant;
use crate::limits::{ADDRESS_STAGGER, CONNECT_TIMEOUT, RESOLVE_TIMEOUT};
use crate::tls::{ClientTls, Handshake};

/// Addresses that are tried of one name. Whoever runs the name's zone decides how many there are.
const MAX_LOOKED_UP: usize = 4;

/// A pinned connection.
pub(crate) struct Dialled {
    /// The stream; the pin matched.
    pub stream: TlsStream<TcpStream>,
    /// What the handshake proved.
    pub handshake: Handshake,
    /// The address as the peer's record writes it.
    pub address: Address,
    /// The address that was dialled.
    pub remote: SocketAddr,
    /// Time it took.
    pub timings: Timings,
}

/// Time per phase of a dial.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timings {
    /// Name look-up and TCP.
    pub connect: Duration,
    /// TLS handshake with the pin check.
    pub tls: Option<Duration>,
}

/// No address worked.
#[derive(Debug, Clone)]
pub(crate) struct DialError {
    /// The most telling of the failures.
    pub problem: Problem,
    /// The address that it happened at.
    pub address: Option<Address>,
    /// Time spent.
    pub timings: Timings,
}

/// Dials until one address shows the pinned key.
///
/// # Errors
/// When none does: the most telling failure (a wrong key before a refusal before a time-out).
pub(crate) async fn dial(
    addresses: &[Address],
    last_good: Option<&Address>,
    tls: &ClientTls,
) -> Result<Dialled, DialError> {
    let mut racing = FuturesUnordered::new();
    for (place, address) in in_order(addresses, last_good).enumerate() {
        let delay = ADDRESS_STAGGER * u32::try_from(place).unwrap_or(u32::MAX);
        racing.push(async move {
            tokio::time::sleep(delay).await;
            dial_one(address, tls).await
        });
    }
    let mut worst = DialError {
        problem: Problem::new(Code::NoAddress),
        address: None,
        timings: Timings::default(),
    };
    while let Some(outcome) = racing.next().await {
        match outcome {
            Ok(dialled) => return Ok(dialled),
            Err(error) if telling(&error.problem) >= telling(&worst.problem) => worst = error,
            Err(_) => {}
        }
    }
    Err(worst)
}

fn in_order<'a>(
    addresses: &'a [Address],
    last_good: Option<&'a Address>,
) -> impl Iterator<Item = &'a Address> {
    let first = last_good.filter(|good| addresses.contains(good));
    first.into_iter().chain(
        addresses
            .iter()
            .filter(move |address| Some(*address) != first),
    )
}

async fn dial_one(address: &Address, tls: &ClientTls) -> Result<Dialled, DialError> {
    let started = Instant::now();
    let fail = |problem: Problem, timings: Timings| DialError {
        problem: problem.with("address", address.to_string()),
        address: Some(address.clone()),
        timings,
    };
    let connected = connect(address).await;
    let mut timings = Timings {
        connect: started.elapsed(),
        tls: None,
    };
    let stream = connected.map_err(|problem| fail(problem, timings))?;
    let remote = stream
        .peer_addr()
        .map_err(|error| fail(unreachable(&error), timings))?;
    // Small requests must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let shaking = Instant::now();
    let shaken = tls.connect(stream).await;
    timings.tls = Some(shaking.elapsed());
    let (stream, handshake) = shaken.map_err(|problem| fail(problem, timings))?;
    Ok(Dialled {
        stream,
        handshake,
        address: address.clone(),
        remote,
        timings,
    })
}

async fn connect(address: &Address) -> Result<TcpStream, Problem> {
    let lookup = lookup_host((address.host(), address.port()));
    let found: Vec<SocketAddr> = match tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await {
        Ok(Ok(found)) => found.take(MAX_LOOKED_UP).collect(),
        Ok(Err(error)) => {
            return Err(Problem::new(Code::ResolveFailed).because(format!(
                "The name {} could not be resolved: {error}.",
                address.host()
            )));
        }
        Err(_) => {
            return Err(Problem::new(Code::ResolveFailed).because(format!(
                "Resolving the name {} took too long.",
                address.host()
            )));
        }
    };
    let mut last = Problem::new(Code::ResolveFailed)
        .because(format!("The name {} has no address.", address.host()));
    for candidate in found {
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(candidate)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = unreachable(&error),
            Err(_) => last = Problem::new(Code::ConnectTimeout),
        }
    }
    Err(last)
}

fn unreachable(error: &std::io::Error) -> Problem {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => Problem::new(Code::ConnectRefused),
        ErrorKind::TimedOut => Problem::new(Code::ConnectTimeout),
        _ => Problem::new(Code::Unreachable).because(format!("{error}.")),
    }
}

fn telling(problem: &Problem) -> u8 {
    match problem.code {
        Code::PinMismatch => 6,
        Code::NotTls | Code::TlsFailed => 5,
        Code::ConnectRefused => 4,
        Code::ConnectTimeout => 3,
        Code::Unreachable => 2,
        Code::ResolveFailed => 1,
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_good_address_is_dialled_first_and_once() {
        let all: Vec<Address> = ["a:1", "b:2", "c:3"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let order: Vec<_> = in_order(&all, Some(&all[1]))
            .map(ToString::to_string)
            .collect();
        assert_eq!(order, ["b:2", "a:1", "c:3"]);
        let gone: Address = "d:4".parse().unwrap();
        assert_eq!(in_order(&all, Some(&gone)).count(), 3);
    }
}
