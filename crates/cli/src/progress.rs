//! Saying what takes long.

use std::time::Duration;

use crate::output::Output;

/// Work that is done before this needs no words.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`, and says on standard error what is being waited for once it takes long.
pub(crate) async fn noting<T>(output: &Output, words: &str, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => output.note(words),
    }
    work.await
}
