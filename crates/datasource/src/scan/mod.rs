//! The negotiation of a scan: what a query needs of a table, and how much of it the plug-in does.
//!
//! [`ScanPlanner`] sees a query's optimised plan, and asks each plug-in in it once, all at the same time: one
//! [`ScanRequest`](request::ScanRequest) holds projection, filters, limit, order and aggregate. What the plug-in does not
//! answer EXACT stays in the plan above the scan, and so do the global limit and sort: a plug-in can be slow, not wrong.

pub mod aggregate;
mod answer;
mod candidate;
mod date;
mod dynamic;
pub mod filter;
mod finish;
pub mod merge;
mod planner;
pub mod request;
mod statistics;
mod table;
mod translate;

pub(crate) use answer::ScanAnswer;
pub(crate) use dynamic::DynamicFilters;
pub use dynamic::weakened;
pub use planner::ScanPlanner;
pub(crate) use planner::negotiate;
pub use table::PlannedScan;
pub(crate) use table::Settled;
pub use translate::translate;
