//! Where the code of a plug-in runs.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::python::failure::Site;
use crate::read::Job;

/// A configured plug-in, wherever its code runs. The methods wait: they belong on a thread that may.
pub(crate) trait Host: Send + Sync {
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
}

/// What goes into a method of a plug-in or comes out of it, in a form that crosses the border of a process too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// A JSON value; may be empty.
    pub(crate) json: String,
    pub(crate) schema: Option<SchemaRef>,
    /// Values that have an Arrow type.
    pub(crate) batch: Option<RecordBatch>,
}
