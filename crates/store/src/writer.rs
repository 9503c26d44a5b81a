//! The one writer: a thread that runs queued jobs in groups, one transaction and one disk flush per group.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::{StoreError, messages};

/// Most jobs in one group.
const GROUP_JOBS: usize = 256;
/// A group takes no further jobs once it has run this long, so that the first does not wait for ever.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// What the writer thread is asked to do.
pub(crate) enum Command {
    /// Run a job in the next group.
    Job(Box<dyn Job>),
    /// Finish what is queued, close the database, then answer.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// One queued write. The result is held back until the group's commit is known.
pub(crate) trait Job: Send {
    /// Runs inside the group's transaction. `Err` asks for its own changes to be undone.
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), StoreError>;
    /// Answers the caller with the job's own result, or with the group's error.
    fn answer(self: Box<Self>, group: Result<(), StoreError>);
}

/// A closure, its result, and where the result goes.
pub(crate) struct WriteJob<F, T> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> WriteJob<F, T> {
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                work: Some(work),
                result: None,
                reply,
            },
            answer,
        )
    }
}

impl<F, T> Job for WriteJob<F, T>
where
    F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let work = self.work.take().ok_or(StoreError::Closed)?;
        let result =
            catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(StoreError::Panicked))?;
        self.result = Some(result);
        Ok(())
    }

    fn answer(self: Box<Self>, group: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // The caller may have stopped waiting; the write stands all the same.
        let _ = reply.send(group.and_then(|()| result.ok_or(StoreError::Closed)));
    }
}

/// Runs until closed or until every sender is gone. `finish` gets the connection back for the orderly end.
pub(crate) fn run(
    conn: Connection,
    mut queue: mpsc::Receiver<Command>,
    finish: impl FnOnce(Connection) -> Result<(), StoreError>,
) {
    let mut closers = Vec::new();
    while let Some(command) = queue.blocking_recv() {
        match command {
            Command::Job(job) => {
                if let Some(closer) = run_group(&conn, job, &mut queue) {
                    queue.close();
                    closers.push(closer);
                }
            }
            Command::Close(closer) => {
                queue.close();
                closers.push(closer);
            }
        }
    }
    let end = finish(conn);
    if let Err(error) = &end {
        tracing::warn!(%error, "the database could not be closed in order; the next start recovers it");
    }
    for closer in closers {
        let _ = closer.send(end.clone());
    }
}

/// Runs `first` and whatever else is waiting in one transaction, commits once, then answers everyone.
/// Returns a close request met on the way.
fn run_group(
    conn: &Connection,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Command>,
) -> Option<oneshot::Sender<Result<(), StoreError>>> {
    let tx = match Transaction::new_unchecked(conn, TransactionBehavior::Immediate) {
        Ok(tx) => tx,
        Err(error) => {
            let error = StoreError::from(error);
            first.answer(Err(error.clone()));
            return fail_waiting(queue, &error);
        }
    };
    let started = Instant::now();
    let mut members: Vec<Box<dyn Job>> = Vec::new();
    let mut closer = None;
    // Nothing else is in the transaction yet: undoing the first job is undoing all of it.
    let mut job = first;
    if let Err(error) = run_alone(&tx, job.as_mut()) {
        drop(tx);
        job.answer(Err(error));
        return None;
    }
    members.push(job);
    while members.len() < GROUP_JOBS && started.elapsed() < GROUP_TIME {
        let Some(mut job) = take(queue, &mut closer) else {
            break;
        };
        match run_member(&tx, job.as_mut()) {
            Ok(()) => members.push(job),
            Err(error) => {
                let lost = conn.is_autocommit().then(|| error.clone());
                job.answer(Err(error));
                // Some failures, a full disk among them, make SQLite end the whole transaction.
                if let Some(error) = lost {
                    drop(tx);
                    fail(members, &error);
                    return closer;
                }
            }
        }
    }
    if let Err((tx, error)) = commit(tx) {
        drop(tx);
        fail(members, &error);
        return closer;
    }
    for job in members {
        job.answer(Ok(()));
    }
    closer
}

/// The next job that waits, if there is one; notes a close request in its place.
fn take(
    queue: &mut mpsc::Receiver<Command>,
    closer: &mut Option<oneshot::Sender<Result<(), StoreError>>>,
) -> Option<Box<dyn Job>> {
    match queue.try_recv().ok()? {
        Command::Job(job) => Some(job),
        Command::Close(reply) => {
            *closer = Some(reply);
            None
        }
    }
}

/// Fails what is queued now: no transaction can begin, and each would only wait as long for the same answer.
/// Returns a close request met on the way.
fn fail_waiting(
    queue: &mut mpsc::Receiver<Command>,
    error: &StoreError,
) -> Option<oneshot::Sender<Result<(), StoreError>>> {
    for _ in 0..queue.len() {
        match queue.try_recv() {
            Ok(Command::Job(job)) => job.answer(Err(error.clone())),
            Ok(Command::Close(reply)) => return Some(reply),
            Err(_) => return None,
        }
    }
    None
}

/// Runs one job under a savepoint, so that its failure undoes only its own changes.
fn run_member(tx: &Transaction<'_>, job: &mut dyn Job) -> Result<(), StoreError> {
    tx.prepare_cached("SAVEPOINT member")?.execute([])?;
    let outcome = run_alone(tx, job);
    if tx.is_autocommit() {
        return outcome;
    }
    if let Err(error) = end_savepoint(tx, outcome.is_err()) {
        // Half a job must not be committed with the others: give the whole group up.
        let _ = tx.execute_batch("ROLLBACK");
        return Err(error);
    }
    outcome
}

/// Runs one job without a savepoint of its own.
fn run_alone(tx: &Transaction<'_>, job: &mut dyn Job) -> Result<(), StoreError> {
    let outcome = job.run(tx);
    if tx.is_autocommit() {
        return Err(outcome.err().unwrap_or(StoreError::Sql {
            code: 0,
            detail: "the job ended its group's transaction".into(),
        }));
    }
    outcome
}

fn end_savepoint(tx: &Transaction<'_>, undo: bool) -> Result<(), StoreError> {
    if undo {
        tx.prepare_cached("ROLLBACK TO member")?.execute([])?;
    }
    tx.prepare_cached("RELEASE member")?.execute([])?;
    Ok(())
}

/// Commits; on failure hands the open transaction back, whose drop rolls it back.
fn commit(tx: Transaction<'_>) -> Result<(), (Transaction<'_>, StoreError)> {
    let outcome = messages::index_new(&tx).and_then(|()| {
        tx.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => Err((tx, error)),
    }
}

fn fail(members: Vec<Box<dyn Job>>, error: &StoreError) {
    for job in members {
        job.answer(Err(error.clone()));
    }
}
