mod aggregate;
mod dynamic;
mod filter;
mod planner;
mod rows;
mod support;
mod wire;
