//! The peer listener: HTTPS on port 3100, for peers, and for machines that join while an invite is open.
//!
//! One task accepts; every handshake and every connection is a task of its own with bounds on its
//! time, so that a caller which stalls holds up nobody.

mod admission;
mod bind;
mod http;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::gate::Place;
use crate::limits::HANDSHAKE_TIMEOUT;
use crate::node::Node;
use crate::protocol::Channel;
use crate::tls::Handshake;

pub(crate) use bind::bind;

/// Accepts until the node stops.
pub(crate) async fn run(node: Node, listener: TcpListener, tls: Arc<rustls::ServerConfig>) {
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let accepted = tokio::select! {
            () = node.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => match node.gate.enter(remote.ip(), &node.stop) {
                Ok(place) => {
                    let acceptor = acceptor.clone();
                    tokio::spawn(connection(node.clone(), acceptor, stream, remote, place));
                }
                Err(why) => tracing::debug!(%remote, ?why, "connection turned away"),
            },
            Err(error) => {
                // Out of descriptors, mostly: the ones in use come back.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    node: Node,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    remote: SocketAddr,
    place: Place,
) {
    let _ = stream.set_nodelay(true);
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)) => shaken,
        () = place.cut().cancelled() => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%remote, %error, "handshake failed");
            return;
        }
        Err(_) => {
            tracing::debug!(%remote, "handshake took too long");
            return;
        }
    };
    let Ok(handshake) = Handshake::of(stream.get_ref().1) else {
        return;
    };
    if let Some(peer) = handshake.pin().and_then(|pin| node.peers.by_pin(&pin)) {
        place.is_peers(peer.id, peer.is_kept());
    }
    let channel = Arc::new(Channel::new(remote, handshake, place.cut().clone()));
    http::serve(node, stream, channel, Arc::new(place)).await;
}
