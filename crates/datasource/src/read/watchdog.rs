//! Warns of plug-ins that are slow, by name: one thread for the process, which looks at every read.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::read::under_way;

/// After how many seconds a step of a plug-in is warned about; 0 for never.
const VARIABLE: &str = "SHEETBEND_SLOW_PLUGIN_SECONDS";

const DEFAULT: Duration = Duration::from_secs(30);

/// How often it looks, at the least and at the most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

static STARTED: OnceLock<()> = OnceLock::new();

/// What a read waits for in its plug-in: the opening of a partition, or one batch.
#[derive(Debug, Default)]
pub(crate) struct Step(Mutex<Option<Current>>);

#[derive(Debug)]
struct Current {
    since: Instant,
    partition: Option<usize>,
    warned: bool,
}

/// A step that takes long.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) partition: Option<usize>,
    pub(crate) elapsed: Duration,
}

impl Step {
    pub(crate) fn begin(&self, since: Instant, partition: Option<usize>) {
        *self.0.lock() = Some(Current { since, partition, warned: false });
    }

    pub(crate) fn end(&self) {
        *self.0.lock() = None;
    }

    /// The step, if it takes longer than `threshold` and was not given out yet.
    pub(crate) fn slow(&self, threshold: Duration) -> Option<Slow> {
        let mut step = self.0.lock();
        let current = step.as_mut().filter(|current| !current.warned && current.since.elapsed() >= threshold)?;
        current.warned = true;
        Some(Slow { partition: current.partition, elapsed: current.since.elapsed() })
    }
}

/// Has the watchdog run from now on.
pub(crate) fn start() {
    STARTED.get_or_init(|| {
        let Some(threshold) = threshold() else { return };
        let thread = thread::Builder::new().name("sheetbend-watch".to_owned());
        if let Err(error) = thread.spawn(move || watch(threshold)) {
            tracing::warn!(%error, "no thread to look for slow plug-ins");
        }
    });
}

fn threshold() -> Option<Duration> {
    let Ok(text) = std::env::var(VARIABLE) else { return Some(DEFAULT) };
    match text.trim().parse().map(Duration::try_from_secs_f64) {
        Ok(Ok(Duration::ZERO)) => None,
        Ok(Ok(threshold)) => Some(threshold),
        _ => {
            tracing::warn!("{VARIABLE} must be a number of seconds, got '{text}'; {} s it is", DEFAULT.as_secs());
            Some(DEFAULT)
        }
    }
}

fn watch(threshold: Duration) {
    let pause = (threshold / 4).clamp(LOOKS.0, LOOKS.1);
    loop {
        for (site, slow) in under_way::slow(threshold) {
            let (plugin, method, seconds) = (site.plugin, site.method, slow.elapsed.as_secs_f64());
            match slow.partition {
                Some(partition) => tracing::warn!(
                    "Data source {plugin} is slow: {method} of partition {partition} has worked on one batch for {seconds:.1} s"
                ),
                None => tracing::warn!("Data source {plugin} is slow: {method} has taken {seconds:.1} s"),
            }
        }
        thread::sleep(pause);
    }
}
