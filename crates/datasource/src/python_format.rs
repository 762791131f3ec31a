//! Formats whose tables plug-ins read.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use pyo3::prelude::*;

use crate::error::Result;
use crate::failure::Site;
use crate::format::{SourceInfo, TableFormat};
use crate::interpreter::attached;
use crate::plugin::Plugin;
use crate::provider::PythonTableProvider;
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

    async fn create_provider(&self, mut info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let module = take_option(&mut info, MODULE);
        let class = take_option(&mut info, CLASS);
        create(info, format!("{NAME} ({module}.{class})"), move |py| {
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
}

impl RegisteredFormat {
    /// Names a plug-in: an instance, which all readers share, or a class, of which one is made without arguments.
    ///
    /// # Errors
    /// A class that lacks a method of a plug-in, or that cannot be called.
    pub fn try_new(name: &str, plugin: &Bound<'_, PyAny>) -> Result<Self> {
        let name = name.to_lowercase();
        let plugin = Arc::new(Plugin::adopt(&name, plugin)?);
        Ok(Self { name, plugin })
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

    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let plugin = Arc::clone(&self.plugin);
        create(info, plugin.display(), move |_| Ok(plugin)).await
    }
}

async fn create(
    info: SourceInfo,
    display: String,
    plugin: impl FnOnce(Python<'_>) -> Result<Arc<Plugin>> + Send + 'static,
) -> Result<Arc<dyn TableProvider>> {
    let promised = info.schema.clone();
    let source = attached(Site::load(display), move |py| {
        let plugin = plugin(py)?;
        Source::configure(py, plugin, &info).map(Arc::new)
    })
    .await?;
    let schema = match promised {
        Some(schema) => schema,
        None => source.infer_schema().await?,
    };
    Ok(Arc::new(PythonTableProvider::new(source, schema)))
}

fn take_option(info: &mut SourceInfo, name: &str) -> String {
    let keys: Vec<_> = info.options.keys().filter(|key| key.eq_ignore_ascii_case(name)).cloned().collect();
    keys.iter().filter_map(|key| info.options.remove(key)).last().unwrap_or_default()
}
