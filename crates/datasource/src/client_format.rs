//! Formats whose plug-ins are classes that a client has sent.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::client_class::{ClassFormats, ClientClass, PythonFiles};
use crate::error::Result;
use crate::format::{SourceInfo, TableFormat};
use crate::isolation::Isolation;
use crate::python::failure::Site;
use crate::python::plugin::Plugin;
use crate::python_format::{isolation, made};
use crate::recipe::{Origin, Recipe};
use crate::source::Source;

/// Formats of classes that were pickled.
#[derive(Debug, Clone, Default)]
pub struct PickledFormats {
    isolation: Isolation,
}

impl PickledFormats {
    /// Such formats, with what holds of isolation where a query does not say it.
    pub fn new(isolation: Isolation) -> Self {
        Self { isolation }
    }
}

impl ClassFormats for PickledFormats {
    fn format(&self, class: ClientClass, files: Arc<PythonFiles>) -> Arc<dyn TableFormat> {
        let isolation = self.isolation.clone();
        Arc::new(PickledFormat { class: Arc::new(class), files, loaded: Arc::default(), isolation })
    }
}

#[derive(Debug)]
struct PickledFormat {
    class: Arc<ClientClass>,
    files: Arc<PythonFiles>,
    loaded: Arc<Mutex<Option<Loaded>>>,
    isolation: Isolation,
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

    async fn create_source(&self, mut info: SourceInfo) -> Result<Arc<Source>> {
        let site = Site::load(self.class.name.clone());
        let isolation = isolation(&mut info, &self.isolation, &site)?;
        let (class, files, loaded) = (Arc::clone(&self.class), self.files.all(), Arc::clone(&self.loaded));
        let origin = Origin::Sent { class: Arc::clone(&class), files: files.clone() };
        let recipe = Recipe::new(&class.name, origin, info, isolation);
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
        made(site, recipe, load).await
    }
}
