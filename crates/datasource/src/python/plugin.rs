//! A plug-in: an object of Python that has the methods, and what it is called.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::client_class::ClientClass;
use crate::error::Result;
use crate::python;
use crate::python::failure::Site;

/// A plug-in that has been found to have its methods.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) object: Py<PyAny>,
    /// The name of the format.
    pub(crate) format: String,
    /// Module and class.
    pub(crate) class: String,
}

impl Plugin {
    /// Imports `module` and makes a plug-in of its class.
    pub(crate) fn load(py: Python<'_>, format: &str, module: &str, class: &str) -> Result<Self> {
        let site = Site::load(display(format, &format!("{module}.{class}")));
        Self::named(format, python::load(py, module, class)).map_err(|error| site.raised(py, &error))
    }

    /// A plug-in of an instance, or of a class that is called without arguments.
    pub(crate) fn adopt(format: &str, candidate: &Bound<'_, PyAny>) -> Result<Self> {
        let py = candidate.py();
        Self::named(format, python::adopt(candidate)).map_err(|error| {
            let class = python::class_name(candidate).unwrap_or_default();
            Site::load(display(format, &class)).raised(py, &error)
        })
    }

    /// A plug-in of a class that a client has sent, and that may import what is in `files`.
    pub(crate) fn unpickle(py: Python<'_>, class: &ClientClass, files: &BTreeMap<String, Arc<[u8]>>) -> Result<Self> {
        let site = Site::load(class.name.clone());
        Self::named(&class.name, python::unpickle(py, class, files)).map_err(|error| site.raised(py, &error))
    }

    /// A plug-in that another process has pickled.
    pub(crate) fn unpack(py: Python<'_>, format: &str, pickle: &[u8]) -> Result<Self> {
        let site = Site::load(format.to_owned());
        let plugin = python::unpack(py, pickle).and_then(|candidate| python::adopt(&candidate));
        Self::named(format, plugin).map_err(|error| site.raised(py, &error))
    }

    /// How messages call it.
    pub(crate) fn display(&self) -> String {
        display(&self.format, &self.class)
    }

    fn named(format: &str, object: PyResult<Bound<'_, PyAny>>) -> PyResult<Self> {
        let object = object?;
        let class = python::class_name(&object)?;
        Ok(Self { object: object.unbind(), format: format.to_owned(), class })
    }
}

pub(crate) fn display(format: &str, class: &str) -> String {
    format!("{format} ({class})")
}
