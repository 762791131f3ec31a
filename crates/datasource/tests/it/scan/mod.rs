mod aggregate;
mod filter;
mod planner;
mod support;
