//! How a held connection comes about, on either side.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, Semaphore, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use super::pump::Pump;
use super::{HeldConnection, Serve, Side};
use crate::limits::{MAX_BODY, MAX_STREAMS, RESPONSE_TIMEOUT};
use crate::line::{Answer, Dialled, Speaker};
use crate::protocol::{Channel, MAC_HEADER, Proof, SCHEME, path};

/// Opens a held connection on a dialled one and serves it. The bodies of requests on it take their
/// room from `bodies`.
///
/// # Errors
/// The peer's refusal, or what went wrong with the upgrade.
pub(crate) async fn open_held(
    dialled: Dialled,
    speaker: &Speaker,
    parent: &CancellationToken,
    bodies: &Arc<Semaphore>,
    server: impl Serve,
) -> Result<Arc<HeldConnection>, Problem> {
    let channel = Arc::new(Channel::new(
        dialled.remote,
        dialled.handshake.clone(),
        parent.child_token(),
    ));
    let proof = speaker.prove(&channel, "GET", path::HELD, b"");
    let request = upgrade_request(&proof)?;
    let upgrade =
        tokio_tungstenite::client_async_with_config(request, dialled.stream, Some(config()));
    let upgraded = tokio::time::timeout(RESPONSE_TIMEOUT, upgrade)
        .await
        .map_err(|_| Problem::new(Code::ResponseTimeout))?;
    let (socket, _response) = upgraded.map_err(refused)?;
    let address = dialled.address.to_string();
    let held = Ends {
        channel,
        side: Side::Holder,
        address,
        bodies: Arc::clone(bodies),
    };
    Ok(held.run(socket, server))
}

/// Serves an upgraded connection that the peer holds; `bodies` as in [`open_held`].
pub(crate) async fn accept_held<Stream>(
    stream: Stream,
    channel: Arc<Channel>,
    bodies: &Arc<Semaphore>,
    server: impl Serve,
) -> Arc<HeldConnection>
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config())).await;
    let address = channel.remote.to_string();
    let held = Ends {
        channel,
        side: Side::Answerer,
        address,
        bodies: Arc::clone(bodies),
    };
    held.run(socket, server)
}

/// What is known of a connection before it runs.
struct Ends {
    channel: Arc<Channel>,
    side: Side,
    address: String,
    bodies: Arc<Semaphore>,
}

impl Ends {
    fn run<Stream>(self, socket: WebSocketStream<Stream>, server: impl Serve) -> Arc<HeldConnection>
    where
        Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (outgoing, queue) = mpsc::channel(MAX_STREAMS as usize);
        let connection = Arc::new(HeldConnection {
            channel: self.channel,
            side: self.side,
            store: OnceCell::new(),
            address: self.address,
            outgoing,
            waiting: Mutex::default(),
            next_id: AtomicU64::new(1),
        });
        let pump = Pump::new(Arc::clone(&connection), server, self.bodies);
        tokio::spawn(pump.run(socket, queue));
        connection
    }
}

fn config() -> WebSocketConfig {
    let largest = MAX_BODY + 16 * 1024;
    WebSocketConfig::default()
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
}

fn upgrade_request(proof: &Proof) -> Result<http::Request<()>, Problem> {
    let mut request = http::Request::builder()
        .uri(format!("wss://peer{}", path::HELD))
        .header("host", "peer")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header(
            "sec-websocket-key",
            tungstenite::handshake::client::generate_key(),
        )
        .header("authorization", format!("{SCHEME}{}", proof.token));
    if let Some(mac) = &proof.mac {
        request = request.header(MAC_HEADER, mac);
    }
    request
        .body(())
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))
}

fn refused(error: tungstenite::Error) -> Problem {
    match error {
        tungstenite::Error::Http(response) => {
            let body = Bytes::from(response.body().clone().unwrap_or_default());
            Answer {
                status: response.status(),
                body,
            }
            .problem()
        }
        other => Problem::new(Code::ResponseInvalid)
            .because(format!("The connection could not be held open: {other}.")),
    }
}
