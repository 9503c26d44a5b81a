//! `tieline openapi`, for those who make clients.

use super::{DONE, Outcome};
use crate::output::Output;

/// Print the OpenAPI document of an API
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// Which API
    #[arg(value_enum)]
    api: Api,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Api {
    /// The documented API for local agents
    Local,
    /// The API of front ends
    Control,
}

pub(crate) fn run(args: &Args, output: &Output) -> Outcome {
    match args.api {
        Api::Local => output.object(&tieline_api::local::document()),
        Api::Control => output.object(&tieline_api::control::document()),
    }
    DONE
}
