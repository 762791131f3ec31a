//! What a plug-in does of a request.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use serde::Deserialize;

use crate::host::Message;
use crate::scan::request::{ScanRequest, SortKey};
use crate::spec;

/// The partitions of a scan, and what was pushed into them.
#[derive(Debug, Clone)]
pub(crate) struct ScanAnswer {
    /// A row a partition (see [`crate::spec`] and [`crate::scan::statistics`]).
    pub(crate) partitions: RecordBatch,
    /// A row for the whole table; none where nothing is known of it.
    pub(crate) table: Option<RecordBatch>,
    /// For each filter of the request, how it was answered; none where it is left to the engine.
    pub(crate) filters: Vec<Option<Pushdown>>,
    /// Each partition gives only as many rows as the request's limit.
    pub(crate) limited: bool,
    /// The one partition passes over the rows of the request's offset.
    pub(crate) skipped: bool,
    pub(crate) aggregation: Aggregation,
    /// Only the rows of the request's sample are given.
    pub(crate) sampled: bool,
    /// The order in which each partition gives its rows.
    pub(crate) ordering: Vec<SortKey>,
    /// Which state of the data the partitions read.
    pub(crate) snapshot: Option<String>,
    /// What the partitions ask of the system that they read.
    pub(crate) statements: Vec<String>,
}

/// How well a filter is applied by the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pushdown {
    /// Just the rows that pass are given.
    Exact,
    /// Some rows that do not pass may be given too.
    Inexact,
}

/// How far the source computes an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Aggregation {
    /// The rows are those of the table.
    #[default]
    None,
    /// Each partition gives results of its own rows.
    Partial,
    /// Every group is in one partition.
    Final,
}

/// The JSON of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    filters: BTreeMap<usize, Pushdown>,
    limited: bool,
    skipped: bool,
    aggregation: Aggregation,
    sampled: bool,
    ordering: Vec<SortKey>,
    snapshot: Option<String>,
    statements: Vec<String>,
}

impl ScanAnswer {
    /// The answer to `request` in a message.
    ///
    /// # Errors
    /// What is wrong with it, as what the plug-in "returned ...".
    pub(crate) fn of_message(message: Message, request: &ScanRequest) -> Result<Self, String> {
        let wire = match message.json.as_str() {
            "" => Wire::default(),
            json => {
                serde_json::from_str(json).map_err(|error| format!("returned an answer that is malformed: {error}"))?
            }
        };
        let planned = message.batch.ok_or("returned no partitions")?;
        let specs = planned.column_by_name(spec::COLUMN).and_then(|column| column.as_string_opt::<i32>());
        let specs = specs.ok_or("returned partitions without specs")?;
        // The row of the table comes last, and has no spec.
        let partitions = specs.len() - specs.null_count();
        let numbered = spec::numbered(&planned.slice(0, partitions)).map_err(|error| format!("returned {error}"))?;
        let answer = Self {
            partitions: numbered,
            table: (specs.null_count() > 0).then(|| planned.slice(partitions, 1)),
            filters: (0..request.filters.len()).map(|at| wire.filters.get(&at).copied()).collect(),
            limited: wire.limited,
            skipped: wire.skipped,
            aggregation: wire.aggregation,
            sampled: wire.sampled,
            ordering: wire.ordering,
            snapshot: wire.snapshot,
            statements: wire.statements,
        };
        answer.check(request)?;
        Ok(answer)
    }

    /// The answer of a plug-in that only says which partitions there are: `specs`, a JSON list of the JSON texts.
    ///
    /// # Errors
    /// What is wrong with it, as what the plug-in "returned ...".
    pub(crate) fn of_specs(specs: &str, request: &ScanRequest) -> Result<Self, String> {
        let malformed = |error: &dyn Display| format!("returned partition specs that are malformed: {error}");
        let specs: Vec<String> = serde_json::from_str(specs).map_err(|error| malformed(&error))?;
        let field = Field::new(spec::COLUMN, DataType::Utf8, true);
        let specs = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(StringArray::from(specs))]);
        let partitions = specs
            .map_err(|error| malformed(&error))
            .and_then(|specs| spec::numbered(&specs).map_err(|error| malformed(&error)))?;
        Ok(Self {
            partitions,
            table: None,
            filters: vec![None; request.filters.len()],
            limited: false,
            skipped: false,
            aggregation: Aggregation::None,
            sampled: false,
            ordering: vec![],
            snapshot: None,
            statements: vec![],
        })
    }

    /// Whether anything is known of the whole table.
    pub(crate) fn describes_table(&self) -> bool {
        self.table.as_ref().is_some_and(|row| row.columns().iter().any(|column| column.null_count() < column.len()))
    }

    /// Whether the source gives just the rows that pass all filters.
    pub(crate) fn is_exact(&self) -> bool {
        self.filters.iter().all(|answer| *answer == Some(Pushdown::Exact))
    }

    fn check(&self, request: &ScanRequest) -> Result<(), String> {
        let aggregated = self.aggregation != Aggregation::None;
        let claims = [
            (self.sampled, "a sample taken", request.sample.is_some(), false),
            (self.limited, "a limit applied", request.limit.is_some(), true),
            (self.skipped, "an offset applied", request.offset.is_some(), true),
            (aggregated, "an aggregate computed", request.aggregate.is_some(), true),
        ];
        for (_, done, is_asked, is_after_filters) in claims.into_iter().filter(|(is_done, ..)| *is_done) {
            if !is_asked {
                return Err(format!("returned a plan with {done}, but the request has none"));
            }
            if is_after_filters && !self.is_exact() {
                return Err(format!("returned a plan with {done}, but not each filter answered EXACT"));
            }
        }
        match self.partitions.num_rows() {
            count if self.skipped && count > 1 => {
                Err(format!("returned a plan with an offset applied in {count} partitions, which only one can do"))
            }
            _ => Ok(()),
        }
    }
}
