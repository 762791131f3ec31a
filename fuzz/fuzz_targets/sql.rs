//! Text to a statement, and the statement to its result.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetbend_fuzz::server;

fuzz_target!(|text: &str| server::execute_sql(text));
