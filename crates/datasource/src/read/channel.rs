//! A channel from one blocking sender to one async receiver, bounded by the bytes in it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

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

/// The end that a query holds: items until the first error.
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
    /// Waits for room and sends; returns how long it waited, if it had to. Gives the item back where nobody receives
    /// any more.
    pub fn send(&self, item: T, bytes: usize) -> Result<Option<Duration>, T> {
        let mut state = self.shared.state.lock();
        let mut full = None;
        while state.receiving && !state.queue.is_empty() && state.bytes.saturating_add(bytes) > self.shared.capacity {
            full.get_or_insert_with(Instant::now);
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
        Ok(full.map(|since| since.elapsed()))
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

impl<T, E: From<Lost>> Receiver<T, E> {
    /// Waits for an item, and takes those with it that are there already: as long as `more` says so of the item that it
    /// is shown, with its bytes. The first one it is shown is taken in any case.
    ///
    /// # Errors
    /// What the sender failed with, or that it is lost; nothing comes after that.
    pub fn poll_some(
        &mut self,
        context: &mut Context<'_>,
        mut more: impl FnMut(&T, usize) -> bool,
    ) -> Poll<Option<Result<Vec<T>, E>>> {
        let mut state = self.shared.state.lock();
        let mut taken = Vec::new();
        while let Some((item, bytes)) = state.queue.front() {
            let more = more(item, *bytes);
            if !more && !taken.is_empty() {
                break;
            }
            let Some((item, bytes)) = state.queue.pop_front() else { break };
            state.bytes -= bytes;
            taken.push(item);
            if !more {
                break;
            }
        }
        if !taken.is_empty() {
            drop(state);
            self.shared.room.notify_one();
            return Poll::Ready(Some(Ok(taken)));
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
