//! One API for every front end: the local API for agents and the control API.
//!
//! [`local`] is the documented HTTP API for agents on this machine, on a loopback port behind a
//! guard that keeps web pages out. [`control`] is everything else that a front end needs: the
//! window calls it in-process, the command line over a socket that only its user can open. [`page`]
//! serves it to a browser too, where the user asked for that. Both describe themselves in OpenAPI documents made from their routes, and
//! speak of failures in the engine's own words (`tieline_wire::problem`).
//!
//! A host (the app, `tieline serve`) starts an engine and then serves it:
//!
//! ```no_run
//! # async fn host(node: tieline_node::Node, home: &std::path::Path) -> Result<(), tieline_wire::problem::Problem> {
//! let local = tieline_api::serve_local(node.clone(), tieline_api::host::DEFAULT_API_ADDR).await?;
//! let control = tieline_api::serve_control_socket(node.clone(), home, Default::default())?;
//! // … until told to stop:
//! local.shutdown().await;
//! control.shutdown().await;
//! node.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod ask;
mod clock;
pub mod control;
mod events;
mod extract;
mod guard;
pub mod host;
pub mod limits;
pub mod local;
pub mod page;
pub mod ports;
mod problem;
mod query;
mod send;
mod serve;
pub mod socket;

pub use control::{ControlServer, HostOrders, control_router, serve_control_socket};
pub use local::{LocalServer, serve_local};
pub use problem::LocalError;
