//! Bytes to a plan, and the plan to rows: everything between a client's message and its answer.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sheetbend_fuzz::{server, wire};

fuzz_target!(|plan: &[u8]| server::execute_plan(plan));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { wire::mutate(data, size, max_size, seed) });
