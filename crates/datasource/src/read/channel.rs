//! A channel from one blocking sender to one async receiver, bounded by the bytes in it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::Stream;
use parking_lot::{Condvar, Mutex};

/// A sender and its receiver. The channel holds at most `capacity` bytes, or one item of any size.
pub fn channel<T, E>(capacity: usize) -> (Sender<T, E>, Receiver<T, E>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State { queue: VecDeque::new(), bytes: 0, sender: End::Open, receiving: true, waker: None }),
        room: Condvar::new(),
        capacity,
    });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// The end that a reading thread holds.
///
/// A sender that is dropped without [`Sender::finish`] or [`Sender::fail`] leaves [`Lost`] for the receiver, so that
/// rows that are missing are never taken for the end of the rows.
#[derive(Debug)]
pub struct Sender<T, E> {
    shared: Arc<Shared<T, E>>,
}

/// The end that a query holds: a stream of items until the first error.
///
/// Items that are left when it is dropped are dropped with it; [`Closer::close`] hands them out instead.
#[derive(Debug)]
pub struct Receiver<T, E> {
    shared: Arc<Shared<T, E>>,
}

/// Closes a channel from wherever it is.
#[derive(Debug)]
pub struct Closer<T, E> {
    shared: Arc<Shared<T, E>>,
}

/// What a receiver gets last where the sender went away.
#[derive(Debug, thiserror::Error)]
#[error("the reading thread went away")]
pub struct Lost;

#[derive(Debug)]
struct Shared<T, E> {
    state: Mutex<State<T, E>>,
    room: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T, E> {
    queue: VecDeque<(T, usize)>,
    bytes: usize,
    sender: End<E>,
    receiving: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
enum End<E> {
    Open,
    Failed(E),
    Lost,
    Finished,
}

impl<T, E> Sender<T, E> {
    /// Waits for room and sends; gives the item back where nobody receives any more.
    pub fn send(&self, item: T, bytes: usize) -> Result<(), T> {
        let mut state = self.shared.state.lock();
        while state.receiving && !state.queue.is_empty() && state.bytes.saturating_add(bytes) > self.shared.capacity {
            self.shared.room.wait(&mut state);
        }
        if !state.receiving {
            return Err(item);
        }
        state.bytes += bytes;
        state.queue.push_back((item, bytes));
        let waker = state.waker.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
        Ok(())
    }

    /// Whether nobody receives any more.
    pub fn is_closed(&self) -> bool {
        !self.shared.state.lock().receiving
    }

    /// Says that all has been sent.
    pub fn finish(self) {
        self.shared.end(End::Finished);
    }

    /// Says that no more comes, and why.
    pub fn fail(self, error: E) {
        self.shared.end(End::Failed(error));
    }
}

impl<T, E> Drop for Sender<T, E> {
    fn drop(&mut self) {
        self.shared.end(End::Lost);
    }
}

impl<T, E> Receiver<T, E> {
    /// What closes this channel.
    pub fn closer(&self) -> Closer<T, E> {
        Closer { shared: Arc::clone(&self.shared) }
    }

    /// Whether the sender is still there.
    pub fn has_sender(&self) -> bool {
        matches!(self.shared.state.lock().sender, End::Open)
    }
}

impl<T, E> Closer<T, E> {
    /// Has the sender stop, which is woken where it waits. Returns the items that were not received.
    pub fn close(&self) -> Vec<T> {
        self.shared.close()
    }
}

impl<T, E: From<Lost>> Stream for Receiver<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.shared.state.lock();
        if let Some((item, bytes)) = state.queue.pop_front() {
            state.bytes -= bytes;
            drop(state);
            self.shared.room.notify_one();
            return Poll::Ready(Some(Ok(item)));
        }
        if matches!(state.sender, End::Open) {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut state.sender, End::Finished) {
            End::Failed(error) => Poll::Ready(Some(Err(error))),
            End::Lost => Poll::Ready(Some(Err(Lost.into()))),
            End::Open | End::Finished => Poll::Ready(None),
        }
    }
}

impl<T, E> Drop for Receiver<T, E> {
    fn drop(&mut self) {
        drop(self.shared.close());
    }
}

impl<T, E> Shared<T, E> {
    fn close(&self) -> Vec<T> {
        let mut state = self.state.lock();
        state.receiving = false;
        state.bytes = 0;
        let left = std::mem::take(&mut state.queue);
        if !left.is_empty() && !matches!(state.sender, End::Open) {
            // Who still receives must not take this for the end of the items.
            state.sender = End::Lost;
        }
        drop(state);
        self.room.notify_all();
        left.into_iter().map(|(item, _)| item).collect()
    }

    fn end(&self, end: End<E>) {
        let mut state = self.state.lock();
        if !matches!(state.sender, End::Open) {
            return;
        }
        state.sender = end;
        let waker = state.waker.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
    }
}
