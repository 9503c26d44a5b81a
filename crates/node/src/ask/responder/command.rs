//! A program as responder: the question on its standard input, the answer on its output.

use std::time::Duration;

use tieline_wire::problem::{Code, Problem};

use super::{MAX_ANSWER, Question};
use crate::ask::partial::Partial;
use crate::local::plain_id;
use crate::local::program::{self, Job, ProgramError};

/// Runs the program and takes what it prints as the answer.
///
/// # Errors
/// `RESPONDER_FAILED`: it could not be started, ended with an error, or printed too much or no
/// text; `RESPONDER_TIMEOUT`.
pub(super) async fn run(
    argv: &[String],
    limit: Duration,
    question: &Question,
    mut partial: Option<Partial>,
) -> Result<String, Problem> {
    let session = question.session.clone().unwrap_or_default();
    let job = Job {
        argv,
        env: vec![
            ("TIELINE_ASK_ID", plain_id(&question.id).to_owned()),
            ("TIELINE_ASK_PEER", question.peer.clone()),
            ("TIELINE_ASK_HOPS", question.hops.to_string()),
            ("TIELINE_ASK_SESSION", session),
        ],
        home: &question.home,
        input: question.text.clone().into_bytes(),
        most_output: MAX_ANSWER,
        limit,
    };
    let printed = program::run(job, |chunk| {
        if let Some(partial) = &mut partial {
            partial.push_bytes(chunk);
        }
    });
    let printed = printed.await.map_err(|error| {
        if let ProgramError::Ended {
            program, status, ..
        } = &error
        {
            // Not what it wrote: that may quote the question.
            tracing::warn!(program, %status, "a responder's command failed");
        }
        let code = match error {
            ProgramError::Late { .. } => Code::ResponderTimeout,
            _ => Code::ResponderFailed,
        };
        Problem::new(code).because(error.to_string())
    })?;
    let text = String::from_utf8(printed).map_err(|_| {
        let program = argv.first().map_or("It", String::as_str);
        Problem::new(Code::ResponderFailed).because(format!(
            "{program} printed something that is not UTF-8 text."
        ))
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
