//! The thread that all connections live on, and how others wait for it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};

use crate::clock::instant;

/// Started with the first connection; it ends with the process.
static HUB: Mutex<Option<Handle>> = Mutex::new(None);

/// Leaves something to be done on the hub's thread.
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let mut hub = HUB.lock().unwrap_or_else(PoisonError::into_inner);
    let handle = match &*hub {
        Some(handle) => handle,
        None => hub.insert(start()?),
    };
    handle.spawn(task);
    Ok(())
}

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("wire".to_owned()).spawn(run)?;
    Ok(handle)
}

/// Wakes a thread that waits in [`wait`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread until the future is through; `None` where it takes longer than `most`.
pub(super) fn wait<F: Future>(future: F, most: Duration) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let begun = instant();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = most.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

/// Something on its way.
pub(super) type Sent<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Sends one after the other, waiting for none, and only then takes the answers, in that order.
/// What waits for all at once might leave one out at first, and a COMMIT would overtake it.
pub(super) async fn in_order<T>(mut list: Vec<Sent<'_, T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = list.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (sent, answer) in list.iter_mut().zip(&mut answers) {
            if let Poll::Ready(early) = sent.as_mut().poll(context) {
                *answer = Some(early);
            }
        }
        Poll::Ready(())
    })
    .await;
    let mut all = Vec::with_capacity(list.len());
    for (sent, answer) in list.into_iter().zip(answers) {
        all.push(match answer {
            Some(early) => early,
            None => sent.await,
        });
    }
    all
}

/// Sends it and does not wait for the answer.
pub(super) fn send<F: Future>(future: F) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}
