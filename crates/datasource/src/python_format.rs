//! Formats whose tables plug-ins read.

use std::sync::Arc;

use async_trait::async_trait;
use pyo3::prelude::*;

use crate::error::Result;
use crate::format::{SourceInfo, TableFormat};
use crate::isolation::Isolation;
use crate::python;
use crate::python::failure::{Secrets, Site};
use crate::python::in_process::InProcess;
use crate::python::interpreter::{blocking, guarded};
use crate::python::plugin::{Plugin, display};
use crate::recipe::{Origin, Recipe};
use crate::source::Source;
use crate::worker::host::Isolated;

const NAME: &str = "python";
const MODULE: &str = "python_module";
const CLASS: &str = "python_class";

/// The format `python`: the options `python_module` and `python_class` name the plug-in, the others are for it.
#[derive(Debug, Clone, Default)]
pub struct PythonDataSourceFormat {
    isolation: Isolation,
}

impl PythonDataSourceFormat {
    /// The format, with what holds of isolation where a query does not say it.
    pub fn new(isolation: Isolation) -> Self {
        Self { isolation }
    }
}

#[async_trait]
impl TableFormat for PythonDataSourceFormat {
    fn name(&self) -> &str {
        NAME
    }

    fn reserved(&self) -> bool {
        true
    }

    async fn create_source(&self, mut info: SourceInfo) -> Result<Arc<Source>> {
        let module = take_option(&mut info, MODULE);
        let class = take_option(&mut info, CLASS);
        let site = Site::load(display(NAME, &format!("{module}.{class}")));
        let isolation = isolation(&mut info, &self.isolation, &site)?;
        let origin = Origin::Named { module: module.clone(), class: class.clone() };
        let recipe = Recipe::new(NAME, origin, info, isolation);
        made(site, recipe, move |py| Plugin::load(py, NAME, &module, &class).map(Arc::new)).await
    }
}

/// A plug-in under a name of its own.
#[derive(Debug, Clone)]
pub struct RegisteredFormat {
    name: String,
    class: String,
    /// What was registered.
    candidate: Arc<Py<PyAny>>,
    /// None where it runs in worker processes, unless a query says otherwise: then only they make one of a class.
    plugin: Option<Arc<Plugin>>,
    isolation: Isolation,
    reserved: bool,
}

impl RegisteredFormat {
    /// Names a plug-in: an instance, which all readers share, or a class, of which one is made without arguments.
    /// `isolation` is what holds where a query does not say it.
    ///
    /// # Errors
    /// A class that lacks a method of a plug-in, or that cannot be called.
    pub fn try_new(name: &str, candidate: &Bound<'_, PyAny>, isolation: Isolation) -> Result<Self> {
        let name = name.to_lowercase();
        let plugin = match isolation.is_process() {
            true => None,
            false => Some(Arc::new(Plugin::adopt(&name, candidate)?)),
        };
        let class = python::class_name(candidate).unwrap_or_default();
        let candidate = Arc::new(candidate.clone().unbind());
        Ok(Self { name, class, candidate, plugin, isolation, reserved: false })
    }

    /// The same format, whose name no session may give to another one.
    #[must_use]
    pub fn reserve(self) -> Self {
        Self { reserved: true, ..self }
    }

    /// Module and class of the plug-in.
    pub fn class(&self) -> &str {
        &self.class
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

    async fn create_source(&self, mut info: SourceInfo) -> Result<Arc<Source>> {
        let site = Site::load(display(&self.name, &self.class));
        let isolation = isolation(&mut info, &self.isolation, &site)?;
        let candidate = Arc::clone(&self.candidate);
        let origin = Origin::Object(Arc::clone(&candidate));
        let (name, plugin) = (self.name.clone(), self.plugin.clone());
        let recipe = Recipe::new(&name, origin, info, isolation);
        let plugin = move |py: Python<'_>| match plugin {
            Some(plugin) => Ok(plugin),
            None => Plugin::adopt(&name, candidate.bind(py)).map(Arc::new),
        };
        made(site, recipe, plugin).await
    }
}

/// The source of a recipe. Where its plug-in runs in this process it is `plugin`; `site` is how messages call it until
/// that has loaded it.
pub(crate) async fn made(
    site: Site,
    recipe: Recipe,
    plugin: impl FnOnce(Python<'_>) -> Result<Arc<Plugin>> + Send + 'static,
) -> Result<Arc<Source>> {
    let make = move |site: &Site| match recipe.isolation.is_process() {
        true => Isolated { site: site.clone(), recipe }.open(),
        false => guarded(site, |py| configured(py, plugin(py)?, recipe)),
    };
    blocking(site, make).await.map(Arc::new)
}

/// The source of a plug-in that runs in this process. Its options are checked against those that it takes, where it says
/// so.
pub(crate) fn configured(py: Python<'_>, plugin: Arc<Plugin>, recipe: Recipe) -> Result<Source> {
    let object = plugin.object.bind(py);
    let site = Site::load(plugin.display());
    let configured = python::configure(object, &recipe.info).map_err(|error| site.raised(py, &error))?;
    let site = Site { secrets: Secrets::new(configured.secrets), ..site };
    python::check_options(object, &plugin.format, &configured.options).map_err(|error| site.raised(py, &error))?;
    let class = plugin.class.clone();
    let host = InProcess { plugin, options: configured.options };
    Ok(Source::new(class, Arc::new(host), site, configured.methods, recipe))
}

/// Takes what a query says of isolation out of its options.
pub(crate) fn isolation(info: &mut SourceInfo, defaults: &Isolation, site: &Site) -> Result<Isolation> {
    let said = Isolation::take(&mut info.options).and_then(|said| said.with_defaults(defaults));
    said.map_err(|error| site.invalid(&error))
}

fn take_option(info: &mut SourceInfo, name: &str) -> String {
    let keys: Vec<_> = info.options.keys().filter(|key| key.eq_ignore_ascii_case(name)).cloned().collect();
    keys.iter().filter_map(|key| info.options.remove(key)).last().unwrap_or_default()
}
