//! A source: a plug-in with the options of one reader.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use pyo3::prelude::*;

use crate::error::Result;
use crate::failure::{Secrets, Site};
use crate::format::SourceInfo;
use crate::interpreter::attached;
use crate::plugin::Plugin;
use crate::python;
use crate::types::table_schema;

/// A plug-in, configured. It is shown without its options, which may be secret.
pub struct Source {
    plugin: Arc<Plugin>,
    options: Py<PyAny>,
    secrets: Secrets,
}

impl Source {
    /// Checks the options against those that the plug-in takes, where it says so.
    pub(crate) fn configure(py: Python<'_>, plugin: Arc<Plugin>, info: &SourceInfo) -> Result<Self> {
        let object = plugin.object.bind(py);
        let configured =
            python::configure(object, info).map_err(|error| Site::load(plugin.display()).raised(py, &error))?;
        let secrets = Secrets::new(configured.secrets);
        let source = Self { plugin, options: configured.options, secrets };
        python::check_options(source.plugin.object.bind(py), &source.plugin.format, &source.options)
            .map_err(|error| source.site("load").raised(py, &error))?;
        Ok(source)
    }

    /// The name of the format.
    pub fn format(&self) -> &str {
        &self.plugin.format
    }

    /// Module and class of the plug-in.
    pub fn class(&self) -> &str {
        &self.plugin.class
    }

    /// The schema of the table: what the plug-in infers, in the types of [`crate::types::table_schema`].
    ///
    /// # Errors
    /// What the plug-in raises, or a result that is no schema.
    pub async fn infer_schema(self: &Arc<Self>) -> Result<SchemaRef> {
        let site = self.site("infer_schema");
        let source = Arc::clone(self);
        attached(site.clone(), move |py| {
            let exporter = python::infer_schema(source.plugin.object.bind(py), &source.options)
                .map_err(|error| site.raised(py, &error))?;
            let schema = python::import_schema(&exporter)
                .map_err(|error| site.broke(format!("returned no schema of a table: {}", error.value(py))))?;
            for (index, field) in schema.fields().iter().enumerate() {
                if schema.index_of(field.name()).ok() != Some(index) {
                    return Err(site.broke(format!("returned a schema that has the column '{}' twice", field.name())));
                }
            }
            Ok(Arc::new(table_schema(&schema)))
        })
        .await
    }

    /// The units of reading, each a JSON object.
    ///
    /// # Errors
    /// What the plug-in raises, or a result that is no list of dicts of JSON values.
    pub async fn plan_partitions(self: &Arc<Self>) -> Result<Vec<String>> {
        let site = self.site("plan_partitions");
        let source = Arc::clone(self);
        attached(site.clone(), move |py| {
            python::plan_partitions(source.plugin.object.bind(py), &source.options)
                .map_err(|error| site.raised(py, &error))
        })
        .await
    }

    pub(crate) fn plugin<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.plugin.object.bind(py)
    }

    pub(crate) fn options(&self) -> &Py<PyAny> {
        &self.options
    }

    pub(crate) fn site(&self, method: &'static str) -> Site {
        Site { plugin: self.plugin.display(), secrets: self.secrets.clone(), method, partition: None }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.plugin.display()).finish()
    }
}
