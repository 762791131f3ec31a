//! How much memory there is.

use std::fs;

/// The share of the memory that rows which sessions keep may take.
const KEPT_SHARE: usize = 4;
/// What is taken for all of it where the system does not say.
const UNKNOWN: usize = 4 << 30;

/// The bytes that rows which sessions keep may take together: a quarter of what this process may have.
pub(crate) fn for_kept_rows() -> usize {
    let limits = [of_machine(), of_group()];
    limits.into_iter().flatten().min().unwrap_or(UNKNOWN) / KEPT_SHARE
}

fn of_machine() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// What the control group says, which a container has; the word `max` stands for no limit.
fn of_group() -> Option<usize> {
    fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok()
}
