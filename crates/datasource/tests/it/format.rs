use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use sheetbend_datasource::error::{BridgeError, PluginFailure, Result};
use sheetbend_datasource::format::{FormatRegistry, SourceInfo, TableFormat};
use sheetbend_datasource::source::Source;

#[derive(Debug)]
struct Named(&'static str);

#[async_trait]
impl TableFormat for Named {
    fn name(&self) -> &str {
        self.0
    }

    async fn create_provider(&self, _: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        panic!("not asked in these tests")
    }

    async fn create_source(&self, _: SourceInfo) -> Result<Arc<Source>> {
        panic!("not asked in these tests")
    }
}

#[test]
fn a_registry_knows_its_parent_s_formats_and_its_own_first() {
    let parent = Arc::new(FormatRegistry::default());
    parent.register(Arc::new(Named("orders")));
    let child = FormatRegistry::child(Arc::clone(&parent));
    child.register(Arc::new(Named("events")));
    assert_eq!(child.get("ORDERS").unwrap().name(), "orders");
    assert_eq!(child.names(), ["events", "orders"]);
    assert!(parent.get("events").is_err());
}

#[test]
fn a_fork_has_the_same_formats_and_adds_its_own() {
    let parent = Arc::new(FormatRegistry::default());
    let child = FormatRegistry::child(Arc::clone(&parent));
    child.register(Arc::new(Named("events")));
    let fork = child.fork();
    fork.register(Arc::new(Named("visits")));
    parent.register(Arc::new(Named("orders")));
    assert_eq!(fork.names(), ["events", "orders", "visits"]);
    assert_eq!(child.names(), ["events", "orders"]);
}

#[test]
fn an_unknown_format_is_answered_with_the_nearest() {
    let registry = FormatRegistry::default();
    registry.register(Arc::new(Named("orders")));
    registry.register(Arc::new(Named("events")));
    let message = registry.get("ordres").unwrap_err().to_string();
    assert_eq!(message, "Unknown data source format 'ordres'. Did you mean 'orders'? There are: events, orders.");
}

#[test]
fn a_plug_in_s_failure_is_found_in_what_datafusion_makes_of_it() {
    let failure = PluginFailure {
        plugin: "orders".to_owned(),
        method: "read_partition",
        partition: Some(3),
        condition: "C".to_owned(),
        sql_state: "38000".to_owned(),
        message: "m".to_owned(),
        traceback: None,
        parameters: std::collections::BTreeMap::new(),
        transient: true,
    };
    let error = datafusion::error::DataFusionError::from(BridgeError::Plugin(Box::new(failure.clone())));
    let wrapped = datafusion::error::DataFusionError::Shared(Arc::new(error.context("while reading")));
    assert_eq!(PluginFailure::of(&wrapped), Some(&failure));
}
