//! A program with limits: fixed arguments, its input on standard input, a cleared environment,
//! bounded time and output, and its whole process group killed when it is over.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tieline_wire::problem::{Code, Problem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Bytes of standard error that are kept.
const MAX_COMPLAINT: usize = 4 * 1024;

/// What to run. Nothing in it passes through a shell.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// Program and arguments.
    pub(crate) argv: &'a [String],
    /// Its environment, beside `PATH` and `TIELINE_HOME`. A zero byte cannot be in it and is left out.
    pub(crate) env: Vec<(&'static str, String)>,
    /// Home of this node, for a program that uses `tieline`.
    pub(crate) home: &'a Path,
    /// What it reads.
    pub(crate) input: Vec<u8>,
    /// Bytes that it may print. More is a failure, never cut short.
    pub(crate) most_output: usize,
    /// How long it may take.
    pub(crate) limit: Duration,
}

/// Why a program came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// It is not there, or may not be run.
    #[error("{program} could not be started: {reason}.")]
    NotStarted { program: String, reason: String },
    /// It printed more than it may.
    #[error("{program} printed more than {most} bytes.")]
    TooMuch { program: String, most: usize },
    /// It ended with an error.
    #[error("{program} ended with {status}.")]
    Ended {
        program: String,
        status: ExitStatus,
        /// What it wrote to standard error, from the beginning.
        complaint: String,
    },
    /// It took too long, and was killed.
    #[error("{program} took longer than {} s and was ended.", limit.as_secs())]
    Late { program: String, limit: Duration },
}

/// Whether an argument vector can be run at all.
///
/// # Errors
/// `INVALID_REQUEST`, with what is wrong.
pub(crate) fn check(argv: &[String]) -> Result<(), Problem> {
    let wrong = |text: &'static str| Err(Problem::new(Code::InvalidRequest).because(text));
    if argv.first().is_none_or(String::is_empty) {
        return wrong("A command needs at least a program.");
    }
    if argv.iter().any(|word| word.contains('\0')) {
        return wrong("A command cannot contain a zero byte.");
    }
    Ok(())
}

/// Runs a program to its end and gives what it printed; `chunk` sees that as it comes. Dropping
/// the future kills the program with all its children.
///
/// # Errors
/// [`ProgramError`].
pub(crate) async fn run(
    job: Job<'_>,
    chunk: impl FnMut(&[u8]) + Send,
) -> Result<Vec<u8>, ProgramError> {
    let program = job.argv.first().cloned().unwrap_or_default();
    let limit = job.limit;
    tokio::time::timeout(limit, to_its_end(job, &program, chunk))
        .await
        .unwrap_or_else(|_| {
            let program = program.clone();
            Err(ProgramError::Late { program, limit })
        })
}

async fn to_its_end(
    job: Job<'_>,
    program: &str,
    chunk: impl FnMut(&[u8]) + Send,
) -> Result<Vec<u8>, ProgramError> {
    let not_started = |reason: String| ProgramError::NotStarted {
        program: program.to_owned(),
        reason,
    };
    let mut child = command(&job)
        .spawn()
        .map_err(|error| not_started(error.to_string()))?;
    let mut input = child.stdin.take();
    let output = child.stdout.take();
    let complaint = child.stderr.take();
    let mut group = Group(child);
    let text = job.input;
    let feed = async move {
        if let Some(input) = input.as_mut() {
            // A program that does not read its input may still do its work.
            let _ = input.write_all(&text).await;
        }
        drop(input);
    };
    let most = job.most_output;
    // A full pipe for complaints must not stop a program that does its work.
    let grumble = read(complaint, MAX_COMPLAINT, true, |_| {});
    let printed = async {
        let printed = read(output, most + 1, false, chunk).await;
        (printed.len() <= most)
            .then_some(printed)
            .ok_or_else(|| ProgramError::TooMuch {
                program: program.to_owned(),
                most,
            })
    };
    let all = async { Ok(tokio::join!(feed, grumble)) };
    let (((), complaint), printed) = tokio::try_join!(all, printed)?;
    let status = group
        .0
        .wait()
        .await
        .map_err(|error| not_started(error.to_string()))?;
    if status.success() {
        return Ok(printed);
    }
    Err(ProgramError::Ended {
        program: program.to_owned(),
        status,
        complaint: String::from_utf8_lossy(&complaint).trim().to_owned(),
    })
}

fn command(job: &Job<'_>) -> Command {
    let mut words = job.argv.iter();
    let mut command = Command::new(words.next().map_or("", String::as_str));
    command
        .args(words)
        .env_clear()
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .env("TIELINE_HOME", job.home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, value) in &job.env {
        command.env(name, value.replace('\0', ""));
    }
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Reads up to `most` bytes; then it stops, or throws away what follows.
async fn read(
    source: Option<impl AsyncRead + Unpin>,
    most: usize,
    drain: bool,
    mut chunk: impl FnMut(&[u8]),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some(mut source) = source else {
        return bytes;
    };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = source.read(&mut buffer).await {
        let room = most.saturating_sub(bytes.len());
        let new = buffer.get(..count.min(room)).unwrap_or_default();
        bytes.extend_from_slice(new);
        chunk(new);
        if bytes.len() >= most && !drain {
            break;
        }
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

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn shell(
        script: &str,
        most_output: usize,
        limit: Duration,
    ) -> Result<Vec<u8>, ProgramError> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        let job = Job {
            argv: &argv,
            env: vec![("TIELINE_X", "a\0b\nc".into())],
            home: Path::new("/nowhere"),
            input: vec![b'x'; 300_000],
            most_output,
            limit,
        };
        run(job, |_| {}).await
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn input_and_environment_arrive_as_they_are() {
        let printed = shell("wc -c; printf %s \"$TIELINE_X\"", 1000, LONG).await;
        let printed = String::from_utf8(printed.unwrap()).unwrap();
        assert_eq!(printed.split_whitespace().next(), Some("300000"));
        assert!(printed.ends_with("ab\nc"), "{printed:?}");
    }

    #[tokio::test]
    async fn a_program_that_complains_a_lot_or_reads_nothing_still_works() {
        let script = "head -c 200000 /dev/zero >&2; echo done";
        assert_eq!(shell(script, 100, LONG).await.unwrap(), b"done\n");
    }

    #[tokio::test]
    async fn what_prints_too_much_takes_too_long_or_fails_is_told_apart() {
        let endless = shell("yes", 10_000, LONG).await;
        assert!(
            matches!(endless, Err(ProgramError::TooMuch { most: 10_000, .. })),
            "{endless:?}"
        );
        let slow = shell("sleep 600", 10, Duration::from_millis(200)).await;
        assert!(matches!(slow, Err(ProgramError::Late { .. })), "{slow:?}");
        match shell("echo why >&2; exit 3", 10, LONG).await {
            Err(ProgramError::Ended {
                status, complaint, ..
            }) => {
                assert_eq!((status.code(), complaint.as_str()), (Some(3), "why"));
            }
            other => unreachable!("{other:?}"),
        }
    }
}
