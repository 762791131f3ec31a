mod aggregate;
mod dynamic;
mod filter;
mod planner;
mod support;
