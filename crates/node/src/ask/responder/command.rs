//! A program as responder: fixed arguments, the question on standard input, a cleared
//! environment, and its whole process group ended when its time is up or the asker hangs up.

use std::process::Stdio;

use tieline_wire::problem::{Code, Problem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{MAX_ANSWER, Question};

/// Bytes of standard error that are kept for the log.
const MAX_COMPLAINT: usize = 4 * 1024;

/// Runs the program and takes what it prints as the answer.
///
/// # Errors
/// `RESPONDER_FAILED`: it could not be started, ended with an error, or printed too much or no text.
pub(super) async fn run(
    argv: &[String],
    question: &Question,
    _cut: &CancellationToken,
) -> Result<String, Problem> {
    let failed = |text: String| Problem::new(Code::ResponderFailed).because(text);
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| failed("No program is set.".into()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .env("TIELINE_HOME", &question.home)
        .env("TIELINE_ASK_ID", &question.id)
        .env("TIELINE_ASK_PEER", &question.peer)
        .env("TIELINE_ASK_HOPS", question.hops.to_string())
        .env(
            "TIELINE_ASK_SESSION",
            question
                .session
                .as_deref()
                .unwrap_or_default()
                .replace('\0', ""),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("{program} could not be started: {error}.")))?;
    let mut input = child.stdin.take();
    let output = child.stdout.take();
    let complaint = child.stderr.take();
    let mut group = Group(child);
    let text = question.text.clone().into_bytes();
    let feed = async move {
        if let Some(input) = input.as_mut() {
            // A program that does not read its input may still answer.
            let _ = input.write_all(&text).await;
        }
        drop(input);
    };
    let ((), output, complaint) = tokio::join!(
        feed,
        read(output, MAX_ANSWER + 1),
        read(complaint, MAX_COMPLAINT)
    );
    if output.len() > MAX_ANSWER {
        return Err(failed(format!(
            "{program} printed more than {MAX_ANSWER} bytes."
        )));
    }
    let status = group
        .0
        .wait()
        .await
        .map_err(|error| failed(format!("{error}.")))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        tracing::warn!(program, %status, complaint = %complaint.trim(), "a responder's command failed");
        return Err(failed(format!("{program} ended with {status}.")));
    }
    let text = String::from_utf8(output).map_err(|_| {
        failed(format!(
            "{program} printed something that is not UTF-8 text."
        ))
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads up to `most` bytes, and no further: what prints more is ended with its group.
async fn read(source: Option<impl AsyncRead + Unpin>, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(source) = source {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let _ = source.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}

/// A program with all its children; ended when dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            // The leader is not reaped yet, so the group's id cannot be another's.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}
