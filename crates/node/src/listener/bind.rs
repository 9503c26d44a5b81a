//! Binding the peer listener, with a reason when that fails.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpListener;

/// Binds; port 0 takes a free one.
///
/// # Errors
/// `PORT_IN_USE`, `PORT_DENIED`, or `CONFIG_INVALID` for an address that is not this machine's.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Problem::new(Code::PortInUse)
                .summary(format!(
                    "Port {} is already in use on this machine.",
                    address.port()
                ))
                .with("address", address.to_string()),
            ErrorKind::PermissionDenied => Problem::new(Code::PortDenied)
                .summary(format!(
                    "This user may not listen on port {}.",
                    address.port()
                ))
                .with("address", address.to_string()),
            _ => Problem::new(Code::ConfigInvalid)
                .summary(format!("Tieline cannot listen on {address}."))
                .because(format!("{error}."))
                .with("address", address.to_string()),
        })
}
