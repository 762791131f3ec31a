//! Formats by name: what `spark.read.format(name)` looks up.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use parking_lot::RwLock;

use crate::client_class::{ClassFormats, ClientClass, PythonFiles};
use crate::error::{BridgeError, Result};
use crate::provider::PythonTableProvider;
use crate::source::Source;

/// A source as the reader describes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceInfo {
    /// Options with their keys as written; a format looks them up without regard to case.
    pub options: BTreeMap<String, String>,
    /// The arguments of `load`.
    pub paths: Vec<String>,
    /// One WHERE clause a partition.
    pub predicates: Vec<String>,
    /// The schema that the user gave; none to ask the source.
    pub schema: Option<SchemaRef>,
}

/// A kind of source that makes tables.
#[async_trait]
pub trait TableFormat: Send + Sync + Debug {
    /// The name that it is asked for by, in lower case.
    fn name(&self) -> &str;

    /// Whether no session may have another format of this name.
    fn reserved(&self) -> bool {
        false
    }

    /// The table that `info` describes, with the schema that was promised for it or that the source infers.
    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let promised = info.schema.clone();
        let source = self.create_source(info).await?;
        let schema = match promised {
            Some(schema) => schema,
            None => source.infer_schema().await?,
        };
        Ok(Arc::new(PythonTableProvider::new(source, schema)))
    }

    /// What `info` describes, to be written to. Nothing has to be there yet.
    async fn create_source(&self, info: SourceInfo) -> Result<Arc<Source>>;
}

/// The formats of a server or session, by name without regard to case.
///
/// A registry made with [`FormatRegistry::child`] sees its parent's formats too, and its own first.
#[derive(Debug, Default)]
pub struct FormatRegistry {
    formats: RwLock<BTreeMap<String, Arc<dyn TableFormat>>>,
    /// None where clients may send no classes.
    classes: Option<Arc<dyn ClassFormats>>,
    parent: Option<Arc<Self>>,
}

impl FormatRegistry {
    /// An empty registry whose clients may send classes.
    pub fn with_classes(classes: Arc<dyn ClassFormats>) -> Self {
        Self { classes: Some(classes), ..Self::default() }
    }

    /// An empty registry that falls back to `parent`.
    pub fn child(parent: Arc<Self>) -> Self {
        Self { formats: RwLock::default(), classes: parent.classes.clone(), parent: Some(parent) }
    }

    /// A registry of the same formats, which each go their own way from then on.
    pub fn fork(&self) -> Self {
        Self {
            formats: RwLock::new(self.formats.read().clone()),
            classes: self.classes.clone(),
            parent: self.parent.clone(),
        }
    }

    /// Adds a format, in place of one of the same name.
    pub fn register(&self, format: Arc<dyn TableFormat>) {
        let replaced = self.formats.write().insert(format.name().to_lowercase(), format);
        // Not under the lock: what a plug-in does when it ends may wait for another thread, which may wait for the formats.
        drop(replaced);
    }

    /// Adds the format of a class that a client has sent; false where clients may send none.
    pub fn register_class(&self, class: ClientClass, files: Arc<PythonFiles>) -> bool {
        let Some(classes) = &self.classes else { return false };
        self.register(classes.format(class, files));
        true
    }

    /// Whether no other format of this name may be registered by a session.
    pub fn reserves(&self, name: &str) -> bool {
        self.find(&name.to_lowercase()).is_some_and(|format| format.reserved())
    }

    /// Whether there is a format of this name.
    pub fn has(&self, name: &str) -> bool {
        self.find(&name.to_lowercase()).is_some()
    }

    /// The format of this name.
    ///
    /// # Errors
    /// [`BridgeError::UnknownFormat`] with the nearest names there are.
    pub fn get(&self, name: &str) -> Result<Arc<dyn TableFormat>> {
        let key = name.to_lowercase();
        self.find(&key).ok_or_else(|| BridgeError::UnknownFormat { name: name.to_owned(), known: self.names() })
    }

    /// The names of all formats, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.parent.as_ref().map(|parent| parent.names()).unwrap_or_default();
        names.extend(self.formats.read().keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    fn find(&self, key: &str) -> Option<Arc<dyn TableFormat>> {
        let own = self.formats.read().get(key).cloned();
        own.or_else(|| self.parent.as_ref().and_then(|parent| parent.find(key)))
    }
}
