//! What server and worker say to each other.
//!
//! A frame is the length of its header and of its payload, each four bytes with the lowest first, then the header, a JSON
//! object, then the payload. A worker is in one of these states, and a request that does not fit is an error:
//!
//! | state | requests | answers |
//! | --- | --- | --- |
//! | started | `init` | `ready` |
//! | ready | `open` | `opened`, `failure` |
//! | | `call` | `result`, `failure` |
//! | | `read` | `batch`..., then `finished` or `failure` |
//! | | `write` | `pull`..., then `written` or `failure` |
//! | reading | `took`, `cancel` | as `read` |
//! | writing | `rows` or `end` for each `pull`, `cancel` | as `write` |
//! | any | `finish` | none: the process ends |
//!
//! `took` may come when the read has ended already, and so may `cancel`, which then does nothing.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::python::Failure;

/// The version of the protocol, which both sides say first.
pub(crate) const VERSION: u32 = 1;

/// Bytes before a header.
pub(crate) const LENGTHS: usize = 8;

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Request<'a> {
    /// The first one.
    Init {
        protocol: u32,
        /// Where modules are imported from.
        paths: &'a [String],
        /// Whether these are all paths; else they come after those of the interpreter.
        own_paths: bool,
        /// Bytes of address space.
        memory: Option<u64>,
    },
    /// Opens a source, in place of one that is open. Payload: the plug-in, a pickle of so many bytes, then the schema that
    /// is promised; either may be empty.
    Open {
        format: &'a str,
        module: &'a str,
        class: &'a str,
        options: &'a BTreeMap<String, String>,
        paths: &'a [String],
        predicates: &'a [String],
        pickle: usize,
    },
    /// Calls a method. Payload: a schema of so many bytes, then a batch; either may be empty.
    Call { method: &'a str, json: &'a str, schema: usize },
    /// Reads a partition. Payload: the schema of so many bytes and the literals of the filter `wanted`, where there is one.
    Read {
        spec: &'a str,
        partition: usize,
        batch_size: usize,
        /// Seconds until the query ends.
        remaining: Option<f64>,
        /// A filter that all rows pass that are wanted, as JSON.
        wanted: Option<&'a str>,
        schema: usize,
    },
    /// Writes the rows of a partition. Payload: their schema.
    Write { work: &'a str, partition: usize },
    /// The rows that were pulled. Payload: a batch.
    Rows,
    /// There are no more rows, or an error that ended them.
    End { error: Option<String> },
    /// More batches have been read, and these segments are free.
    Took { batches: usize, freed: Vec<u32> },
    /// Nobody waits for the rows any more.
    Cancel,
    /// Nothing more comes.
    Finish,
}

/// What the worker says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Reply {
    /// It has started.
    Ready { protocol: u32 },
    /// The source is open.
    Opened { class: String, secrets: Vec<String>, methods: Vec<String> },
    /// A method has returned. Payload: a schema of so many bytes, then a batch; either may be empty.
    Result { json: String, schema: usize },
    /// Rows, as an Arrow stream: the payload, or in a segment.
    Batch {
        segment: Option<Place>,
        /// Segments that are no more.
        #[serde(default)]
        dropped: Vec<u32>,
    },
    /// The partition has been read, or its read was cancelled; this is what the plug-in has counted.
    Finished { counts: HashMap<String, usize> },
    /// The plug-in wants more rows to write.
    Pull,
    /// The partition has been written; its commit message, JSON.
    Written { message: String },
    /// The plug-in raised.
    Failure {
        #[serde(flatten)]
        failure: Failure,
        /// Texts that must not be shown, where they have become known.
        secrets: Vec<String>,
    },
}

/// Where a batch lies.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) number: u32,
    /// Bytes of the stream, from the beginning on.
    pub(crate) length: usize,
    /// Bytes of the segment; only where it is new, and its file comes with the frame.
    pub(crate) capacity: Option<usize>,
    /// Whether the worker uses the segment again when it is free.
    #[serde(default = "yes")]
    pub(crate) kept: bool,
}

impl Reply {
    /// What it is called in errors.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Opened { .. } => "opened",
            Self::Result { .. } => "result",
            Self::Batch { .. } => "batch",
            Self::Finished { .. } => "finished",
            Self::Pull => "pull",
            Self::Written { .. } => "written",
            Self::Failure { .. } => "failure",
        }
    }
}

fn yes() -> bool {
    true
}
