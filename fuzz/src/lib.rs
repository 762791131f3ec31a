//! What the fuzz targets share: a server within the process, and mutations that keep messages whole.

mod codec;
mod format;
pub mod server;
pub mod wire;
