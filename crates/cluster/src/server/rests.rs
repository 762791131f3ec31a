//! Which executors are to wait, as a task has failed there in a way that may pass: others are to try it first.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How long an executor leaves what has failed there to those where it has not: they may be busy.
const OTHERS: Duration = Duration::from_secs(30);

/// How long it waits where there are none; doubled after each further failure.
const PAUSE: Duration = Duration::from_millis(500);
const MOST_DOUBLINGS: u32 = 4;

/// What has failed of a job, by stage and by the partition of its input.
#[derive(Debug, Default)]
pub(super) struct Rests(HashMap<(u32, usize), Failed>);

#[derive(Debug)]
struct Failed {
    on: HashSet<String>,
    last: Instant,
    times: u32,
    /// Whether nobody has tried it since.
    waits: bool,
}

impl Rests {
    /// A task that reads these partitions has failed on an executor.
    pub(super) fn fail(&mut self, executor: &str, stage: u32, partitions: &[usize], now: Instant) {
        for partition in partitions {
            let fresh = || Failed { on: HashSet::new(), last: now, times: 0, waits: true };
            let failed = self.0.entry((stage, *partition)).or_insert_with(fresh);
            failed.on.insert(executor.to_owned());
            failed.last = now;
            failed.times += 1;
            failed.waits = true;
        }
    }

    /// Whether nothing has failed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Partitions are read again.
    pub(super) fn again(&mut self, stage: u32, partitions: &[usize]) {
        for partition in partitions {
            if let Some(failed) = self.0.get_mut(&(stage, *partition)) {
                failed.waits = false;
            }
        }
    }

    /// Whether an executor is to get no tasks now.
    pub(super) fn has(&self, executor: &str, all: &[String], now: Instant) -> bool {
        let mut waiting = self.0.values().filter(|failed| failed.waits && failed.on.contains(executor));
        waiting.any(|failed| {
            let pause = match all.iter().any(|other| !failed.on.contains(other)) {
                true => OTHERS,
                false => PAUSE * 2u32.pow((failed.times - 1).min(MOST_DOUBLINGS)),
            };
            now.duration_since(failed.last) < pause
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{OTHERS, PAUSE, Rests};

    #[test]
    fn others_try_first() {
        let (all, now) = (["a".to_owned(), "b".to_owned()], Instant::now());
        let mut rests = Rests::default();
        rests.fail("a", 1, &[7, 8], now);
        assert!(rests.has("a", &all, now));
        assert!(!rests.has("b", &all, now));
        rests.again(1, &[7]);
        assert!(rests.has("a", &all, now), "the other partition waits");
        rests.again(1, &[8]);
        assert!(!rests.has("a", &all, now));
        rests.fail("a", 1, &[7], now);
        assert!(!rests.has("a", &all, now + OTHERS), "nobody has come");
    }

    #[test]
    fn where_there_are_no_others_the_pauses_grow() {
        let (all, now) = (["a".to_owned()], Instant::now());
        let mut rests = Rests::default();
        for times in 0..3 {
            rests.fail("a", 1, &[7], now);
            let over = now + PAUSE * 2u32.pow(times);
            assert!(rests.has("a", &all, over - Duration::from_millis(1)));
            assert!(!rests.has("a", &all, over));
        }
    }
}
