//! The handle that callers hold.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::{Connection, Transaction};
use tieline_wire::receipt::StoreId;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::open::{self, OpenOptions, OpenReport};
use crate::writer::{self, Command, WriteJob};
use crate::{StoreError, connection, restore};

/// Connections that read at the same time.
const READERS: u32 = 2;
/// Jobs waiting for the writer before callers have to wait to hand theirs in.
const QUEUE: usize = 1024;
/// Pages given back to the disk in one write.
const VACUUM_PAGES: u32 = 256;

/// An open store. Cheap to clone; all clones share one writer and the readers.
///
/// When the last clone goes away without [`Store::close`], the writer still finishes what was queued and closes the
/// database in the background.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    store_id: StoreId,
    writer: mpsc::Sender<Command>,
    readers: Arc<Readers>,
}

/// Read connections, opened when first needed.
struct Readers {
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens or creates the store at `path`. Blocking: call it before serving, or from a blocking task.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] leaves the file as it is; see [`OpenOptions::accept_new`]. Also
    /// [`StoreError::NewerSchema`], [`StoreError::Permission`], [`StoreError::Full`] and [`StoreError::Io`].
    pub fn open(path: impl Into<PathBuf>) -> Result<(Self, OpenReport), StoreError> {
        Self::open_with(&OpenOptions::new(path))
    }

    /// Like [`Store::open`], with options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(options: &OpenOptions) -> Result<(Self, OpenReport), StoreError> {
        let opened = open::open(options)?;
        let (writer, queue) = mpsc::channel(QUEUE);
        let path = options.path.clone();
        let conn = opened.conn;
        thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(conn, queue, |conn| finish(conn, &path)))
            .map_err(|error| StoreError::Io {
                detail: format!("no thread for the writer: {error}"),
            })?;
        let readers = Readers {
            permits: Semaphore::new(READERS as usize),
            idle: Mutex::default(),
        };
        let inner = Inner {
            path: options.path.clone(),
            store_id: StoreId(opened.store_id),
            writer,
            readers: Arc::new(readers),
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            opened.report,
        ))
    }

    /// Runs `work` in a write transaction, and returns its result once that is on the disk.
    ///
    /// Jobs that wait at the same time share one transaction and one flush. A job that returns `Err` or panics undoes
    /// only its own changes; a flush that fails fails every job in the group, and none of them has happened.
    /// A job is carried out even if the caller stops waiting. It must not wait for anything, and must not end the
    /// transaction itself.
    ///
    /// # Errors
    /// What `work` returns, or why the group was not committed.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (job, answer) = WriteJob::new(work);
        self.inner
            .writer
            .send(Command::Job(Box::new(job)))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs `work` on a read connection, off the async threads. It sees everything committed before it began.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError::Closed`] after [`Store::close`].
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let readers = Arc::clone(&inner.readers);
        let permit = readers
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        // The permit must outlive the query, also when the caller stops waiting.
        permit.forget();
        let task = tokio::task::spawn_blocking(move || inner.readers.run(&inner.path, work));
        task.await.unwrap_or(Err(StoreError::Panicked))
    }

    /// SQLite's quick check of every page, on a read connection. For databases that were too large for it at opening.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub async fn check(&self) -> Result<(), StoreError> {
        self.read(open::check).await
    }

    /// Gives space that retention freed back to the disk, a little at a time so that writes can pass in between.
    ///
    /// # Errors
    /// Any failure of the database.
    pub async fn give_back_space(&self) -> Result<(), StoreError> {
        let mut before = i64::MAX;
        loop {
            let freed = self.write(|tx| {
                tx.execute_batch(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
                Ok(tx.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))?)
            });
            let left = freed.await?;
            if left == 0 || left >= before {
                return Ok(());
            }
            before = left;
        }
    }

    /// This database's public id; another one after the database was created anew or put back from a copy.
    pub fn store_id(&self) -> StoreId {
        self.inner.store_id
    }

    /// Where the database file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Finishes queued writes and running reads, folds the log into the database file, and closes it.
    /// Later calls of any kind return [`StoreError::Closed`].
    ///
    /// # Errors
    /// Nothing is lost when this fails, for example for want of space; the next start recovers.
    pub async fn close(&self) -> Result<(), StoreError> {
        let readers = &self.inner.readers;
        if let Ok(permit) = readers.permits.acquire_many(READERS).await {
            readers.permits.close();
            drop(permit);
            readers.idle().clear();
        }
        let (reply, answer) = oneshot::channel();
        self.inner
            .writer
            .send(Command::Close(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

impl Readers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T>(
        &self,
        path: &Path,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Returned also when the query panics; the connection is then dropped, not reused.
        let _permit = ReturnPermit(&self.permits);
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => connection::open_reader(path)?,
        };
        let outcome = work(&conn);
        self.idle().push(conn);
        outcome
    }
}

struct ReturnPermit<'a>(&'a Semaphore);

impl Drop for ReturnPermit<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// The orderly end: a new mark, then everything into the database file.
fn finish(conn: Connection, path: &Path) -> Result<(), StoreError> {
    restore::renew(&conn, path)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_, error)| error.into())
}
