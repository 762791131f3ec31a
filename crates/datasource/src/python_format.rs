//! Formats whose tables plug-ins read.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use pyo3::prelude::*;

use crate::error::Result;
use crate::format::{SourceInfo, TableFormat};
use crate::provider::PythonTableProvider;
use crate::python;
use crate::python::failure::{Secrets, Site};
use crate::python::in_process::InProcess;
use crate::python::interpreter::{blocking, guarded};
use crate::python::plugin::Plugin;
use crate::source::Source;

const NAME: &str = "python";
const MODULE: &str = "python_module";
const CLASS: &str = "python_class";

/// The format `python`: the options `python_module` and `python_class` name the plug-in, the others are for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PythonDataSourceFormat;

#[async_trait]
impl TableFormat for PythonDataSourceFormat {
    fn name(&self) -> &str {
        NAME
    }

    fn reserved(&self) -> bool {
        true
    }

    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let promised = info.schema.clone();
        provider(self.create_source(info).await?, promised).await
    }

    async fn create_source(&self, mut info: SourceInfo) -> Result<Arc<Source>> {
        let module = take_option(&mut info, MODULE);
        let class = take_option(&mut info, CLASS);
        source(info, format!("{NAME} ({module}.{class})"), move |py| {
            Plugin::load(py, NAME, &module, &class).map(Arc::new)
        })
        .await
    }
}

/// A plug-in under a name of its own.
#[derive(Debug, Clone)]
pub struct RegisteredFormat {
    name: String,
    plugin: Arc<Plugin>,
    reserved: bool,
}

impl RegisteredFormat {
    /// Names a plug-in: an instance, which all readers share, or a class, of which one is made without arguments.
    ///
    /// # Errors
    /// A class that lacks a method of a plug-in, or that cannot be called.
    pub fn try_new(name: &str, plugin: &Bound<'_, PyAny>) -> Result<Self> {
        let name = name.to_lowercase();
        let plugin = Arc::new(Plugin::adopt(&name, plugin)?);
        Ok(Self { name, plugin, reserved: false })
    }

    /// The same format, whose name no session may give to another one.
    #[must_use]
    pub fn reserve(self) -> Self {
        Self { reserved: true, ..self }
    }

    /// Module and class of the plug-in.
    pub fn class(&self) -> &str {
        &self.plugin.class
    }
}

#[async_trait]
impl TableFormat for RegisteredFormat {
    fn name(&self) -> &str {
        &self.name
    }

    fn reserved(&self) -> bool {
        self.reserved
    }

    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let promised = info.schema.clone();
        provider(self.create_source(info).await?, promised).await
    }

    async fn create_source(&self, info: SourceInfo) -> Result<Arc<Source>> {
        let plugin = Arc::clone(&self.plugin);
        source(info, plugin.display(), move |_| Ok(plugin)).await
    }
}

/// The table of a source, with the schema that was promised for it or that it infers.
pub(crate) async fn provider(source: Arc<Source>, promised: Option<SchemaRef>) -> Result<Arc<dyn TableProvider>> {
    let schema = match promised {
        Some(schema) => schema,
        None => source.infer_schema().await?,
    };
    Ok(Arc::new(PythonTableProvider::new(source, schema)))
}

/// A plug-in with its options; `display` is how messages call it until `plugin` has loaded it.
pub(crate) async fn source(
    info: SourceInfo,
    display: String,
    plugin: impl FnOnce(Python<'_>) -> Result<Arc<Plugin>> + Send + 'static,
) -> Result<Arc<Source>> {
    let load = move |site: &Site| guarded(site, |py| configure(py, plugin(py)?, &info));
    blocking(Site::load(display), load).await.map(Arc::new)
}

/// Checks the options against those that the plug-in takes, where it says so.
fn configure(py: Python<'_>, plugin: Arc<Plugin>, info: &SourceInfo) -> Result<Source> {
    let object = plugin.object.bind(py);
    let site = Site::load(plugin.display());
    let configured = python::configure(object, info).map_err(|error| site.raised(py, &error))?;
    let site = Site { secrets: Secrets::new(configured.secrets), ..site };
    python::check_options(object, &plugin.format, &configured.options).map_err(|error| site.raised(py, &error))?;
    let (format, class) = (plugin.format.clone(), plugin.class.clone());
    let host = InProcess { plugin, options: configured.options };
    Ok(Source::new(format, class, Arc::new(host), site, configured.methods))
}

fn take_option(info: &mut SourceInfo, name: &str) -> String {
    let keys: Vec<_> = info.options.keys().filter(|key| key.eq_ignore_ascii_case(name)).cloned().collect();
    keys.iter().filter_map(|key| info.options.remove(key)).last().unwrap_or_default()
}
