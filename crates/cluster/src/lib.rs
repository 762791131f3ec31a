//! Runs the plans of queries: on this machine, or on many.
//!
//! A [`Runner`] takes a physical plan and gives its rows. [`LocalRunner`] runs it here. [`server::ClusterRunner`] cuts it
//! into stages and tasks with Ballista's scheduler, which lives in this process; [`executor`]s, one process each, ask it
//! for tasks. Every connection is made by an executor, but those that fetch data, and carries the token that the
//! processes of a cluster share ([`trust`]).

pub mod client;
mod codec;
mod control;
pub mod executor;
mod failure;
pub mod health;
mod link;
mod reads;
mod runner;
pub mod server;
pub mod trust;

pub use control::Installation;
pub use runner::{LocalRunner, Progress, Runner, Running, Stage, Work};
