mod aggregate;
mod filter;
