use std::future::poll_fn;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sheetbend_datasource::read::channel::{Lost, Receiver, Sender, channel};

#[derive(Debug, PartialEq)]
enum Failed {
    Lost,
    Said(&'static str),
}

impl From<Lost> for Failed {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

fn of(capacity: usize) -> (Sender<u32, Failed>, Receiver<u32, Failed>) {
    channel(capacity)
}

/// The next item, on its own.
async fn next(receiver: &mut Receiver<u32, Failed>) -> Option<Result<u32, Failed>> {
    let some = poll_fn(|context| receiver.poll_some(context, |_, _| false)).await?;
    Some(some.map(|items| {
        let [item] = items.try_into().unwrap();
        item
    }))
}

async fn all(mut receiver: Receiver<u32, Failed>) -> Vec<Result<u32, Failed>> {
    let mut items = Vec::new();
    while let Some(item) = next(&mut receiver).await {
        items.push(item);
    }
    items
}

/// Sends on another thread and says so when it is done.
fn sending(sender: Sender<u32, Failed>, item: u32, bytes: usize) -> mpsc::Receiver<Result<Option<Duration>, u32>> {
    let (done, sent) = mpsc::channel();
    thread::spawn(move || {
        let result = sender.send(item, bytes);
        sender.finish();
        done.send(result).unwrap();
    });
    sent
}

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn items_come_in_order_and_then_the_end() {
    let (sender, receiver) = of(100);
    for item in 0..3 {
        sender.send(item, 10).unwrap();
    }
    sender.finish();
    assert_eq!(all(receiver).await, [Ok(0), Ok(1), Ok(2)]);
}

#[tokio::test]
async fn a_sender_waits_for_bytes_to_be_taken() {
    let (sender, mut receiver) = of(100);
    sender.send(1, 60).unwrap();
    let sent = sending(sender, 2, 60);
    assert!(sent.recv_timeout(SOON).is_err());
    assert_eq!(next(&mut receiver).await, Some(Ok(1)));
    assert!(sent.recv_timeout(LATE).unwrap().unwrap().is_some(), "it has waited");
    assert_eq!(next(&mut receiver).await, Some(Ok(2)));
    assert_eq!(next(&mut receiver).await, None);
}

#[tokio::test]
async fn an_item_larger_than_the_channel_passes_when_it_is_empty() {
    let (sender, mut receiver) = of(100);
    sender.send(1, 1000).unwrap();
    let sent = sending(sender, 2, usize::MAX);
    assert!(sent.recv_timeout(SOON).is_err());
    assert_eq!(next(&mut receiver).await, Some(Ok(1)));
    assert!(sent.recv_timeout(LATE).unwrap().unwrap().is_some(), "it has waited");
}

#[tokio::test]
async fn a_receiver_is_woken() {
    let (sender, mut receiver) = of(100);
    let received = tokio::spawn(async move { next(&mut receiver).await });
    tokio::time::sleep(SOON).await;
    sender.send(7, 1).unwrap();
    assert_eq!(received.await.unwrap(), Some(Ok(7)));
}

#[tokio::test]
async fn an_error_comes_after_the_items_and_passes_a_full_channel() {
    let (sender, mut receiver) = of(1);
    sender.send(1, 1).unwrap();
    sender.fail(Failed::Said("no"));
    assert_eq!(next(&mut receiver).await, Some(Ok(1)));
    assert_eq!(next(&mut receiver).await, Some(Err(Failed::Said("no"))));
    assert_eq!(next(&mut receiver).await, None);
}

#[tokio::test]
async fn a_sender_that_goes_away_is_no_end() {
    let (sender, receiver) = of(100);
    sender.send(1, 1).unwrap();
    drop(sender);
    assert_eq!(all(receiver).await, [Ok(1), Err(Failed::Lost)]);
}

#[test]
fn a_receiver_that_goes_away_wakes_the_sender() {
    let (sender, receiver) = of(1);
    sender.send(1, 1).unwrap();
    let sent = sending(sender, 2, 1);
    assert!(sent.recv_timeout(SOON).is_err());
    drop(receiver);
    assert_eq!(sent.recv_timeout(LATE), Ok(Err(2)));
}

#[test]
fn closing_hands_out_what_is_left() {
    let (sender, receiver) = of(100);
    sender.send(1, 1).unwrap();
    sender.send(2, 1).unwrap();
    assert!(receiver.closer().has_sender());
    assert_eq!(receiver.closer().close(), [1, 2]);
    assert!(sender.is_closed());
    assert_eq!(sender.send(3, 1), Err(3));
}

#[test]
fn items_that_someone_else_took_are_missed() {
    let (sender, mut receiver) = of(100);
    sender.send(1, 1).unwrap();
    sender.finish();
    assert!(!receiver.closer().has_sender());
    receiver.closer().close();
    assert_eq!(next(&mut receiver).now_or_never(), Some(Some(Err(Failed::Lost))));
    assert_eq!(next(&mut receiver).now_or_never(), Some(None));
}

#[tokio::test]
async fn items_that_are_there_come_together_as_far_as_wanted() {
    let (sender, mut receiver) = of(100);
    for item in 0..5 {
        assert_eq!(sender.send(item, 10), Ok(None));
    }
    let mut shown = Vec::new();
    let taken = poll_fn(|context| {
        receiver.poll_some(context, |item, bytes| {
            shown.push((*item, bytes));
            *item < 3
        })
    });
    assert_eq!(taken.await, Some(Ok(vec![0, 1, 2])));
    assert_eq!(shown, [(0, 10), (1, 10), (2, 10), (3, 10)]);
    assert_eq!(next(&mut receiver).await, Some(Ok(3)));
    sender.finish();
    assert_eq!(all(receiver).await, [Ok(4)]);
}

#[tokio::test]
async fn receivers_share_the_items_and_each_learns_of_the_end() {
    let (sender, mut one) = of(100);
    let mut other = one.clone();
    for item in 0..4 {
        sender.send(item, 10).unwrap();
    }
    assert_eq!(next(&mut one).await, Some(Ok(0)));
    assert_eq!(next(&mut other).await, Some(Ok(1)));
    sender.fail(Failed::Said("no"));
    drop(one.clone());
    assert_eq!(all(other).await, [Ok(2), Ok(3), Err(Failed::Said("no"))]);
    assert_eq!(all(one).await, []);
}

#[tokio::test]
async fn a_receiver_is_let_wait_while_another_takes_items_as_they_come() {
    let (sender, mut takes) = of(100);
    let mut waits = takes.clone();
    let waiting = tokio::spawn(async move { next(&mut waits).await });
    tokio::task::yield_now().await;
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < SOON {
        sender.send(count, 10).unwrap();
        assert_eq!(next(&mut takes).await, Some(Ok(count)));
        count += 1;
    }
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    tokio::time::sleep(SOON).await;
    sender.send(count, 10).unwrap();
    assert_eq!(waiting.await.unwrap(), Some(Ok(count)), "the other one has not come back for long");
}

#[tokio::test]
async fn a_receiver_that_falls_behind_is_helped() {
    let (sender, mut slow) = of(100);
    let mut helps = slow.clone();
    sender.send(0, 10).unwrap();
    assert_eq!(next(&mut slow).await, Some(Ok(0)));
    let waiting = tokio::spawn(async move { next(&mut helps).await });
    tokio::task::yield_now().await;
    for item in 1..=9 {
        sender.send(item, 10).unwrap();
    }
    assert_eq!(next(&mut slow).await, Some(Ok(1)));
    assert_eq!(waiting.await.unwrap(), Some(Ok(2)));
}

#[tokio::test]
async fn receivers_go_away_one_by_one() {
    let (sender, one) = of(100);
    let other = one.clone();
    drop(one);
    assert!(sender.send(4, 10).is_ok(), "one receiver is left");
    drop(other);
    assert_eq!(sender.send(5, 10), Err(5));
}

#[tokio::test]
async fn a_receiver_that_goes_away_leaves_its_item_to_another() {
    let (sender, mut stays) = of(100);
    let mut goes = stays.clone();
    let waiting = tokio::spawn(async move { next(&mut stays).await });
    tokio::task::yield_now().await;
    assert_eq!(next(&mut goes).now_or_never(), None);
    sender.send(1, 10).unwrap();
    drop(goes);
    assert_eq!(waiting.await.unwrap(), Some(Ok(1)));
}

#[tokio::test]
async fn a_sender_without_room_wakes_every_receiver() {
    let (sender, mut takes) = of(10);
    let mut ignores = takes.clone();
    let waiting = tokio::spawn(async move { (next(&mut takes).await, takes) });
    tokio::task::yield_now().await;
    assert_eq!(next(&mut ignores).now_or_never(), None);
    sender.send(1, 10).unwrap();
    let sent = sending(sender, 2, 10);
    let (item, mut takes) = tokio::time::timeout(LATE, waiting).await.unwrap().unwrap();
    assert_eq!(item, Some(Ok(1)));
    assert_eq!(next(&mut takes).await, Some(Ok(2)));
    assert!(sent.recv_timeout(LATE).unwrap().is_ok());
}
