//! A source: a plug-in with the options of one reader.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::host::{Host, Message};
use crate::python::failure::Site;
use crate::python::interpreter::blocking;
use crate::recipe::Recipe;
use crate::scan::ScanAnswer;
use crate::scan::request::ScanRequest;
use crate::types::table_schema;

/// A plug-in, configured. It is shown without its options, which may be secret.
pub struct Source {
    class: String,
    host: Arc<dyn Host>,
    /// Of which every place in the source is made.
    site: Site,
    /// The methods that a plug-in may have, and this one has.
    methods: Vec<String>,
    recipe: Recipe,
}

impl Source {
    /// A plug-in on its host. Beside those that it must have, it has `methods`: `plan_scan` and `statistics` are asked for.
    pub fn new(class: String, host: Arc<dyn Host>, site: Site, methods: Vec<String>, recipe: Recipe) -> Self {
        Self { class, host, site, methods, recipe }
    }

    /// The name of the format.
    pub fn format(&self) -> &str {
        &self.recipe.format
    }

    /// What it is made of.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Module and class of the plug-in.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// The schema of the table: what the plug-in infers, in the types of [`crate::types::table_schema`].
    ///
    /// # Errors
    /// What the plug-in raises, a result that is no schema, or a column of a type that no table can have.
    pub async fn infer_schema(&self) -> Result<SchemaRef> {
        let site = self.site("infer_schema");
        let schema = self.call("infer_schema", Message::default()).await?.schema;
        let schema = schema.ok_or_else(|| site.broke("returned no schema"))?;
        let mut names = HashSet::with_capacity(schema.fields().len());
        for field in schema.fields() {
            if !names.insert(field.name()) {
                return Err(site.broke(format!("returned a schema that has the column '{}' twice", field.name())));
            }
        }
        let schema =
            table_schema(&schema).map_err(|unknown| site.broke(format!("returned a schema whose {unknown}")))?;
        Ok(Arc::new(schema))
    }

    /// Asks the plug-in which partitions to read, and what of `request` it does itself.
    ///
    /// # Errors
    /// What the plug-in raises, or a result that is no answer to the request.
    pub(crate) async fn plan_scan(&self, request: &ScanRequest) -> Result<ScanAnswer> {
        let mut answer = match self.has("plan_scan") {
            true => self.answer("plan_scan", request).await?,
            false => self.plan_partitions(request).await?,
        };
        if self.has("statistics") && !answer.describes_table() {
            answer.table = self.answer("statistics", request).await?.table;
        }
        Ok(answer)
    }

    async fn plan_partitions(&self, request: &ScanRequest) -> Result<ScanAnswer> {
        let specs = self.call("plan_partitions", Message::default()).await?.json;
        ScanAnswer::of_specs(&specs, request).map_err(|what| self.site("plan_partitions").broke(what))
    }

    async fn answer(&self, method: &'static str, request: &ScanRequest) -> Result<ScanAnswer> {
        let answer = self.call(method, request.to_message()?).await?;
        ScanAnswer::of_message(answer, request).map_err(|what| self.site(method).broke(what))
    }

    fn has(&self, method: &str) -> bool {
        self.methods.iter().any(|known| known == method)
    }

    /// Calls a method of the plug-in.
    ///
    /// # Errors
    /// As of [`Host::call`].
    pub(crate) async fn call(&self, method: &'static str, input: Message) -> Result<Message> {
        let host = Arc::clone(&self.host);
        blocking(self.site(method), move |site| host.call(site, input)).await
    }

    pub(crate) fn host(&self) -> &dyn Host {
        self.host.as_ref()
    }

    pub(crate) fn site(&self, method: &'static str) -> Site {
        Site { method, ..self.site.clone() }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.site.plugin).finish()
    }
}
