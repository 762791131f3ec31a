//! Formats whose plug-ins are classes that a client has sent.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::client_class::{ClassFormats, ClientClass, PythonFiles};
use crate::error::Result;
use crate::format::{SourceInfo, TableFormat};
use crate::python::plugin::Plugin;
use crate::python_format::{provider, source};
use crate::source::Source;

/// Formats of classes that were pickled.
#[derive(Debug, Clone, Copy, Default)]
pub struct PickledFormats;

impl ClassFormats for PickledFormats {
    fn format(&self, class: ClientClass, files: Arc<PythonFiles>) -> Arc<dyn TableFormat> {
        Arc::new(PickledFormat { class: Arc::new(class), files, loaded: Arc::default() })
    }
}

#[derive(Debug)]
struct PickledFormat {
    class: Arc<ClientClass>,
    files: Arc<PythonFiles>,
    loaded: Arc<Mutex<Option<Loaded>>>,
}

/// A plug-in of the class.
#[derive(Debug)]
struct Loaded {
    /// The number of files that there were.
    files: usize,
    plugin: Arc<Plugin>,
}

#[async_trait]
impl TableFormat for PickledFormat {
    fn name(&self) -> &str {
        &self.class.name
    }

    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let promised = info.schema.clone();
        provider(self.create_source(info).await?, promised).await
    }

    async fn create_source(&self, info: SourceInfo) -> Result<Arc<Source>> {
        let (class, files, loaded) = (Arc::clone(&self.class), self.files.all(), Arc::clone(&self.loaded));
        let load = move |py: Python<'_>| {
            // Files are added, never replaced: as many are the same.
            let known = loaded.lock().as_ref().filter(|known| known.files == files.len()).map(|k| k.plugin.clone());
            if let Some(plugin) = known {
                return Ok(plugin);
            }
            // Not under the lock: Python lets other threads run, which may want it.
            let plugin = Arc::new(Plugin::unpickle(py, &class, &files)?);
            let replaced = loaded.lock().replace(Loaded { files: files.len(), plugin: plugin.clone() });
            drop(replaced);
            Ok(plugin)
        };
        source(info, self.class.name.clone(), load).await
    }
}
