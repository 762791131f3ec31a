//! What a source is made of, so that another process of the same installation can make it too.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use datafusion::error::DataFusionError;
use prost::Message;
use pyo3::prelude::*;

use crate::client_class::ClientClass;
use crate::error::Result;
use crate::format::SourceInfo;
use crate::ipc;
use crate::isolation::{Isolation, Mode};
use crate::python;
use crate::python::failure::Site;
use crate::python::interpreter::guarded;
use crate::python::plugin::{Plugin, display};
use crate::python_format::configured;
use crate::source::Source;
use crate::worker::host::Isolated;

/// A plug-in, and the options of one reader. Options are as the user gave them: a secret that they name by `env:` or
/// `file:` is looked up where the source is made.
#[derive(Clone)]
pub struct Recipe {
    /// The name of the format.
    pub(crate) format: String,
    pub(crate) origin: Origin,
    pub(crate) info: SourceInfo,
    pub(crate) isolation: Isolation,
    /// Its bytes, once they are known: to make them may take Python.
    pub(crate) bytes: Arc<OnceLock<Vec<u8>>>,
}

/// Where a plug-in comes from.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A class in a module.
    Named { module: String, class: String },
    /// A class, or an instance, of this process.
    Object(Arc<Py<PyAny>>),
    /// A class that a client has sent, with the files that it may import.
    Sent { class: Arc<ClientClass>, files: BTreeMap<String, Arc<[u8]>> },
    /// A pickle of any of these.
    Pickled(Vec<u8>),
}

impl Origin {
    /// The same as what a process can be sent: a name, or a pickle.
    ///
    /// # Errors
    /// It cannot be pickled.
    pub(crate) fn packed(&self, site: &Site) -> Result<Self> {
        let pickled = |pack: &dyn Fn(Python<'_>) -> PyResult<Vec<u8>>| {
            guarded(site, |py| pack(py).map_err(|error| site.raised(py, &error))).map(Self::Pickled)
        };
        match self {
            Self::Object(object) => pickled(&|py| python::pack(object.bind(py))),
            Self::Sent { class, files } => pickled(&|py| python::pack_class(py, class, files)),
            Self::Named { .. } | Self::Pickled(_) => Ok(self.clone()),
        }
    }
}

impl Recipe {
    pub(crate) fn new(format: &str, origin: Origin, info: SourceInfo, isolation: Isolation) -> Self {
        Self { format: format.to_owned(), origin, info, isolation, bytes: Arc::default() }
    }

    /// A class of a module, whose code runs in this process.
    pub fn named(format: &str, module: &str, class: &str, info: SourceInfo) -> Self {
        let origin = Origin::Named { module: module.to_owned(), class: class.to_owned() };
        Self::new(format, origin, info, Isolation::default())
    }

    /// The recipe as bytes. Holds the options as they were given: whoever has the bytes has what is secret in them.
    ///
    /// # Errors
    /// A plug-in that cannot be pickled.
    pub fn encode(&self) -> Result<Vec<u8>> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes.clone());
        }
        let bytes = self.encoded()?;
        Ok(self.bytes.get_or_init(|| bytes).clone())
    }

    fn encoded(&self) -> Result<Vec<u8>> {
        let site = Site::load(self.format.clone());
        let (module, class, pickle) = match self.origin.packed(&site)? {
            Origin::Named { module, class } => (module, class, vec![]),
            Origin::Pickled(pickle) => (String::new(), String::new(), pickle),
            Origin::Object(_) | Origin::Sent { .. } => return Err(site.failed("is packed already")),
        };
        let schema = self.info.schema.as_ref().map(|schema| ipc::write_schema(schema)).transpose();
        let Isolation { mode, python, memory, start_timeout, batch_timeout } = self.isolation.clone();
        let nanos = |timeout: Duration| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let wire = RecipeProto {
            format: self.format.clone(),
            module,
            class,
            pickle,
            options: self.info.options.clone(),
            paths: self.info.paths.clone(),
            predicates: self.info.predicates.clone(),
            schema: schema.map_err(DataFusionError::from)?.unwrap_or_default(),
            isolated: mode.map(|mode| mode == Mode::Process),
            python,
            memory,
            start_timeout: start_timeout.map(nanos),
            batch_timeout: batch_timeout.map(nanos),
        };
        Ok(wire.encode_to_vec())
    }

    /// The recipe of these bytes.
    ///
    /// # Errors
    /// Bytes that [`Recipe::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let wire = RecipeProto::decode(bytes).map_err(|error| DataFusionError::External(error.into()))?;
        let schema = match wire.schema.as_slice() {
            [] => None,
            schema => Some(ipc::read_schema(schema).map_err(DataFusionError::from)?),
        };
        let origin = match wire.pickle.is_empty() {
            true => Origin::Named { module: wire.module, class: wire.class },
            false => Origin::Pickled(wire.pickle),
        };
        let info = SourceInfo { options: wire.options, paths: wire.paths, predicates: wire.predicates, schema };
        let isolation = Isolation {
            mode: wire.isolated.map(|isolated| if isolated { Mode::Process } else { Mode::Thread }),
            python: wire.python,
            memory: wire.memory,
            start_timeout: wire.start_timeout.map(Duration::from_nanos),
            batch_timeout: wire.batch_timeout.map(Duration::from_nanos),
        };
        Ok(Self::new(&wire.format, origin, info, isolation))
    }

    /// Makes the source, on this thread: it may wait for Python.
    ///
    /// # Errors
    /// The plug-in cannot be loaded here, or refuses the options.
    pub fn make(self) -> Result<Source> {
        let site = Site::load(display(&self.format, &self.name()));
        if self.isolation.is_process() {
            return Isolated { site, recipe: self }.open();
        }
        guarded(&site, |py| {
            let plugin = match &self.origin {
                Origin::Named { module, class } => Plugin::load(py, &self.format, module, class),
                Origin::Object(object) => Plugin::adopt(&self.format, object.bind(py)),
                Origin::Sent { class, files } => Plugin::unpickle(py, class, files),
                Origin::Pickled(pickle) => Plugin::unpack(py, &self.format, pickle),
            };
            configured(py, Arc::new(plugin?), self.clone())
        })
    }

    fn name(&self) -> String {
        match &self.origin {
            Origin::Named { module, class } => format!("{module}.{class}"),
            Origin::Sent { class, .. } => class.name.clone(),
            Origin::Object(_) | Origin::Pickled(_) => self.format.clone(),
        }
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipe").field(&self.format).finish()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct RecipeProto {
    #[prost(string, tag = "1")]
    format: String,
    #[prost(string, tag = "2")]
    module: String,
    #[prost(string, tag = "3")]
    class: String,
    #[prost(bytes = "vec", tag = "4")]
    pickle: Vec<u8>,
    #[prost(btree_map = "string, string", tag = "5")]
    options: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "6")]
    paths: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    predicates: Vec<String>,
    #[prost(bytes = "vec", tag = "8")]
    schema: Vec<u8>,
    #[prost(bool, optional, tag = "9")]
    isolated: Option<bool>,
    #[prost(string, optional, tag = "10")]
    python: Option<String>,
    #[prost(uint64, optional, tag = "11")]
    memory: Option<u64>,
    #[prost(uint64, optional, tag = "12")]
    start_timeout: Option<u64>,
    #[prost(uint64, optional, tag = "13")]
    batch_timeout: Option<u64>,
}
