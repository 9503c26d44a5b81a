//! A wire between two real engines: it can lose one direction, and be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Forwards connections until dropped.
pub struct Relay {
    pub address: SocketAddr,
    loses_answers: Arc<AtomicBool>,
    /// Every change cuts the connections that are open.
    cuts: watch::Sender<()>,
    task: AbortHandle,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let loses_answers = Arc::new(AtomicBool::new(false));
        let (cuts, _) = watch::channel(());
        let (loses, subscriber) = (Arc::clone(&loses_answers), cuts.clone());
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (loses, mut cut) = (Arc::clone(&loses), subscriber.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        () = forward(near, target, loses) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            loses_answers,
            cuts,
            task: task.abort_handle(),
        }
    }

    /// From now on nothing comes back: not even that the far side closed.
    pub fn lose_answers(&self) {
        self.loses_answers.store(true, Ordering::SeqCst);
    }

    /// Cuts what is open; what is opened from now on works both ways.
    pub fn cut(&self) {
        self.loses_answers.store(false, Ordering::SeqCst);
        self.cuts.send_replace(());
    }
}

async fn forward(near: TcpStream, target: SocketAddr, loses: Arc<AtomicBool>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let there = async {
        let ended = copy(&mut near_read, &mut far_write).await;
        if ended.is_err() && loses.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    };
    let back = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = far_read.read(&mut buffer).await.unwrap_or(0);
            if loses.load(Ordering::SeqCst) {
                if read == 0 {
                    return std::future::pending().await;
                }
            } else if read == 0 || near_write.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}
