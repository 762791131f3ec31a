//! Where the code of a plug-in runs.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::error::Result;
pub use crate::python::failure::Site;
pub use crate::read::{Flow, Job};
pub use crate::write::WriteJob;

/// A configured plug-in, wherever its code runs. The methods wait: they belong on a thread that may.
pub trait Host: Send + Sync {
    /// Calls the method that `site` names.
    ///
    /// # Errors
    /// What the plug-in raises, or a result that is not what the method is to return.
    fn call(&self, site: &Site, input: Message) -> Result<Message>;

    /// Reads the specs of a job, one after the other, on this thread.
    ///
    /// # Errors
    /// What the plug-in raises, or rows that are not as promised.
    fn read(&self, job: &mut Job) -> Result<()>;

    /// Writes the rows of a job, on this thread, and gives its commit message.
    ///
    /// # Errors
    /// What the plug-in raises, or a result that is no message. Where the rows themselves fail, the caller knows why.
    fn write(&self, job: &WriteJob) -> Result<Message>;
}

/// What goes into a method of a plug-in or comes out of it, in a form that crosses the border of a process too.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// A JSON value; may be empty.
    pub json: String,
    /// The schema of the table.
    pub schema: Option<SchemaRef>,
    /// Values that have an Arrow type.
    pub batch: Option<RecordBatch>,
}
