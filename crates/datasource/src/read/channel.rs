//! A channel from one blocking sender to async receivers, bounded by the bytes in it.
//!
//! An item goes to whichever receiver asks first. To wake a thread costs as much as a batch, so it is done as seldom as
//! can be: a receiver that never waits long looks again and again for a while; none is woken that waits while another one
//! takes items as they come, until that one falls behind by half of the channel; a sender that waits for room is woken
//! when half of it is free.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// How long a receiver looks for an item before it waits to be woken, if it had to wait no longer the last time. To be
/// woken takes about as long.
const LOOK: Duration = Duration::from_micros(20);

/// A sender and its receiver. The channel holds at most `capacity` bytes, or one item of any size.
pub fn channel<T, E>(capacity: usize) -> (Sender<T, E>, Receiver<T, E>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            queue: VecDeque::new(),
            bytes: 0,
            sender: End::Open,
            receiving: true,
            receivers: 1,
            numbered: 1,
            waiting: Vec::new(),
            taken: None,
        }),
        room: Condvar::new(),
        has_news: AtomicBool::new(false),
        capacity,
    });
    (Sender { shared: Arc::clone(&shared) }, Receiver::new(shared, 0))
}

/// The end that a reading thread holds.
///
/// A sender that is dropped without [`Sender::finish`] or [`Sender::fail`] leaves [`Lost`] for the receiver, so that
/// rows that are missing are never taken for the end of the rows.
#[derive(Debug)]
pub struct Sender<T, E> {
    shared: Arc<Shared<T, E>>,
}

/// The end that a query holds: items until the first error, which comes once.
///
/// Its clones receive from the same channel. Items that are left when the last one is dropped are dropped with it;
/// [`Closer::close`] hands them out instead.
#[derive(Debug)]
pub struct Receiver<T, E> {
    shared: Arc<Shared<T, E>>,
    number: usize,
    /// Since when there is nothing for it.
    since: Option<Instant>,
    /// Whether it had to wait no longer than [`LOOK`] the last time.
    waits_briefly: bool,
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
    /// Whether there is something to receive: an item or the end. Changed under the lock.
    has_news: AtomicBool,
    capacity: usize,
}

#[derive(Debug)]
struct State<T, E> {
    queue: VecDeque<(T, usize)>,
    bytes: usize,
    sender: End<E>,
    receiving: bool,
    receivers: usize,
    /// How many receivers there have been.
    numbered: usize,
    /// The receivers that wait, by their numbers.
    waiting: Vec<(usize, Waker)>,
    /// When an item was taken last.
    taken: Option<Instant>,
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
            if state.waiting.is_empty() {
                self.shared.room.wait(&mut state);
            } else {
                // Those that were woken for the items that are there may be kept from taking them.
                let waiting = std::mem::take(&mut state.waiting);
                MutexGuard::unlocked(&mut state, || wake(waiting));
            }
        }
        if !state.receiving {
            return Err(item);
        }
        state.bytes += bytes;
        state.queue.push_back((item, bytes));
        self.shared.has_news.store(true, Ordering::Release);
        let receiver = if state.is_served() { None } else { state.waiting.pop() };
        drop(state);
        wake(receiver);
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
    fn new(shared: Arc<Shared<T, E>>, number: usize) -> Self {
        Self { shared, number, since: None, waits_briefly: false }
    }

    /// What closes this channel.
    pub fn closer(&self) -> Closer<T, E> {
        Closer { shared: Arc::clone(&self.shared) }
    }
}

impl<T, E> Clone for Receiver<T, E> {
    fn clone(&self) -> Self {
        let mut state = self.shared.state.lock();
        let number = state.numbered;
        state.numbered += 1;
        state.receivers += 1;
        Self::new(Arc::clone(&self.shared), number)
    }
}

impl<T, E> Closer<T, E> {
    /// Has the sender stop, which is woken where it waits. Returns the items that were not received.
    pub fn close(&self) -> Vec<T> {
        self.shared.close()
    }

    /// Whether the sender is still there.
    pub fn has_sender(&self) -> bool {
        matches!(self.shared.state.lock().sender, End::Open)
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
        state.waiting.retain(|(number, _)| *number != self.number);
        // Where others are at work there may be no core to look from.
        if self.waits_briefly && state.active() == 1 && !state.has_news() {
            MutexGuard::unlocked(&mut state, || self.shared.look());
        }
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
            self.shared.note_news(&state);
            let now = Instant::now();
            self.waits_briefly = self.since.take().is_none_or(|since| now - since <= 2 * LOOK);
            state.taken = Some(now);
            let has_room = state.bytes <= self.shared.capacity / 2;
            let next = if has_room { None } else { state.next_to_wake() };
            drop(state);
            if has_room {
                self.shared.room.notify_one();
            }
            wake(next);
            return Poll::Ready(Some(Ok(taken)));
        }
        if matches!(state.sender, End::Open) {
            self.since.get_or_insert_with(Instant::now);
            self.waits_briefly = false;
            state.waiting.push((self.number, context.waker().clone()));
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
        let mut state = self.shared.state.lock();
        state.receivers -= 1;
        state.waiting.retain(|(number, _)| *number != self.number);
        let (is_last, next) = (state.receivers == 0, state.next_to_wake());
        drop(state);
        if is_last {
            drop(self.shared.close());
        }
        // It may have been woken for an item that it does not take any more.
        wake(next);
    }
}

impl<T, E> State<T, E> {
    fn has_news(&self) -> bool {
        !self.queue.is_empty() || !matches!(self.sender, End::Open)
    }

    /// How many receivers do not wait.
    fn active(&self) -> usize {
        self.receivers - self.waiting.len()
    }

    /// Whether a receiver takes items as they come.
    fn is_served(&self) -> bool {
        self.active() > 0 && self.taken.is_some_and(|taken| taken.elapsed() <= 2 * LOOK)
    }

    /// The receiver to wake for an item that is there.
    fn next_to_wake(&mut self) -> Option<(usize, Waker)> {
        if self.queue.is_empty() { None } else { self.waiting.pop() }
    }
}

/// To be called without a lock.
fn wake(receivers: impl IntoIterator<Item = (usize, Waker)>) {
    receivers.into_iter().for_each(|(_, waker)| waker.wake());
}

impl<T, E> Shared<T, E> {
    /// Looks for something to receive, for a while.
    fn look(&self) {
        let since = Instant::now();
        while !self.has_news.load(Ordering::Acquire) && since.elapsed() < LOOK {
            std::hint::spin_loop();
        }
    }

    fn note_news(&self, state: &State<T, E>) {
        self.has_news.store(state.has_news(), Ordering::Release);
    }

    fn close(&self) -> Vec<T> {
        let mut state = self.state.lock();
        state.receiving = false;
        state.bytes = 0;
        let left = std::mem::take(&mut state.queue);
        if !left.is_empty() && !matches!(state.sender, End::Open) {
            // Who still receives must not take this for the end of the items.
            state.sender = End::Lost;
        }
        self.note_news(&state);
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
        self.note_news(&state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        wake(waiting);
    }
}
