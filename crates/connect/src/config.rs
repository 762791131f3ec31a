//! The settings of a session: what was set, over Spark's defaults.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::timezone::Tz;
use parking_lot::RwLock;
use sheetbend_plan::environment::Settings;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use spark_connect_proto::KeyValue;
use spark_connect_proto::config_request::operation::OpType;

use crate::error::missing;
use crate::place::{Place, RUNNER};

const TIME_ZONE: &str = "spark.sql.session.timeZone";
const ANSI: &str = "spark.sql.ansi.enabled";
const CASE_SENSITIVE: &str = "spark.sql.caseSensitive";
/// Whether the values of partitions tell the types of their columns; else they are text.
pub(crate) const INFER_PARTITIONS: &str = "spark.sql.sources.partitionColumnTypeInference.enabled";
const LEAVES: &str = "spark.sql.leafNodeDefaultParallelism";
const QUERY_TIMEOUT: &str = "spark.sheetbend.queryTimeout";

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Integer,
    TimeZone,
    /// A number and a unit of time.
    Time,
    /// Fixed when the server starts.
    Static,
}

use Kind::{Boolean, Integer, Static, Text, Time, TimeZone};

/// The settings with a default: those that clients ask for on their own, and those that change something here.
const DEFAULTS: &[(&str, Kind, &str)] = &[
    ("spark.app.name", Static, "Sheetbend"),
    (QUERY_TIMEOUT, Time, "0s"),
    (RUNNER, Text, "auto"),
    ("spark.connect.session.planCompression.defaultAlgorithm", Text, "ZSTD"),
    ("spark.connect.session.planCompression.threshold", Integer, "10485760"),
    (CASE_SENSITIVE, Boolean, "false"),
    // There is no Java to have a stack trace of; a plug-in's traceback is in the message.
    ("spark.sql.connect.serverStacktrace.enabled", Boolean, "false"),
    ("spark.sql.pyspark.jvmStacktrace.enabled", Boolean, "false"),
    (ANSI, Boolean, "true"),
    ("spark.sql.catalogImplementation", Static, "in-memory"),
    ("spark.sql.execution.arrow.enabled", Boolean, "false"),
    ("spark.sql.execution.arrow.maxRecordsPerBatch", Integer, "10000"),
    ("spark.sql.execution.arrow.pyspark.enabled", Boolean, "true"),
    ("spark.sql.execution.arrow.pyspark.fallback.enabled", Boolean, "true"),
    ("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", Boolean, "false"),
    ("spark.sql.execution.arrow.useLargeVarTypes", Boolean, "false"),
    ("spark.sql.execution.pandas.convertToArrowArraySafely", Boolean, "true"),
    ("spark.sql.execution.pandas.inferPandasDictAsMap", Boolean, "false"),
    ("spark.sql.execution.pandas.structHandlingMode", Text, "legacy"),
    ("spark.sql.execution.pyspark.binaryAsBytes", Boolean, "true"),
    ("spark.sql.execution.pythonUDF.arrow.enabled", Boolean, "true"),
    ("spark.python.sql.dataFrameDebugging.enabled", Boolean, "true"),
    ("spark.sql.pyspark.inferNestedDictAsStruct.enabled", Boolean, "false"),
    ("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", Boolean, "false"),
    ("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", Boolean, "false"),
    ("spark.sql.repl.eagerEval.enabled", Boolean, "false"),
    ("spark.sql.repl.eagerEval.maxNumRows", Integer, "20"),
    ("spark.sql.repl.eagerEval.truncate", Integer, "20"),
    ("spark.sql.session.localRelationBatchOfChunksSizeBytes", Integer, "1073741824"),
    ("spark.sql.session.localRelationCacheThreshold", Integer, "1048576"),
    ("spark.sql.session.localRelationChunkSizeBytes", Integer, "16777216"),
    ("spark.sql.session.localRelationChunkSizeRows", Integer, "10000"),
    ("spark.sql.session.localRelationSizeLimit", Integer, "1073741824"),
    (TIME_ZONE, TimeZone, "UTC"),
    ("spark.sql.shuffle.partitions", Integer, "200"),
    ("spark.sql.sources.default", Text, "parquet"),
    (INFER_PARTITIONS, Boolean, "true"),
    ("spark.sql.timestampType", Text, "TIMESTAMP_LTZ"),
    ("spark.sql.warehouse.dir", Static, "spark-warehouse"),
];

/// The settings of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config(BTreeMap<String, String>);

impl Config {
    /// The value of `key`.
    ///
    /// # Errors
    /// `SQL_CONF_NOT_FOUND` if it was not set and has no default.
    pub(crate) fn get(&self, key: &str) -> Result<String> {
        self.option(key).ok_or_else(|| {
            SparkError::new(
                ErrorClass::NoSuchElement,
                "SQL_CONF_NOT_FOUND",
                "42K0I",
                format!("The SQL config \"{key}\" cannot be found. Please verify that the config exists."),
            )
            .with("sqlConf", format!("\"{key}\""))
        })
    }

    /// The value of `key`; none if it was not set and has no default.
    pub(crate) fn option(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned().or_else(|| default(key).map(|(_, value)| value.to_owned()))
    }

    /// The value of `key` if it was set; else `fallback`, and Spark's default only if there is none.
    pub(crate) fn with_default(&self, key: &str, fallback: Option<&str>) -> Option<String> {
        self.0.get(key).cloned().or_else(|| fallback.map(str::to_owned)).or_else(|| self.option(key))
    }

    /// All keys that begin with `prefix`, without it.
    pub(crate) fn all(&self, prefix: &str) -> BTreeMap<String, String> {
        let defaults = DEFAULTS.iter().map(|(key, _, value)| (*key, *value));
        let set = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        defaults
            .chain(set)
            .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.to_owned())))
            .collect()
    }

    /// Sets `key`.
    ///
    /// # Errors
    /// A setting that is fixed, or a value that it does not take.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        modifiable(key)?;
        check(key, value)?;
        self.0.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Puts `key` back to its default.
    ///
    /// # Errors
    /// A setting that is fixed.
    pub(crate) fn unset(&mut self, key: &str) -> Result<()> {
        modifiable(key)?;
        self.0.remove(key);
        Ok(())
    }

    /// Whether `key` is fixed when the server starts.
    pub(crate) fn is_fixed(&self, key: &str) -> bool {
        modifiable(key).is_err()
    }

    /// Puts everything back to its default.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a session may set `key`. As in Spark, a key that nobody knows cannot be "modified", only set.
    pub(crate) fn is_modifiable(&self, key: &str) -> bool {
        default(key).is_some() && modifiable(key).is_ok()
    }

    /// What the resolver needs to know.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        if let Some(zone) = self.option(TIME_ZONE) {
            settings.time_zone = zone;
        }
        settings.case_sensitive = self.option(CASE_SENSITIVE).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        settings.ansi = self.option(ANSI).is_none_or(|value| value.eq_ignore_ascii_case("true"));
        settings
    }

    /// Where queries are to run.
    ///
    /// # Errors
    /// A value that names no place.
    pub(crate) fn place(&self) -> Result<Place> {
        self.option(RUNNER).map_or_else(|| Ok(Place::default()), |name| Place::named(&name))
    }

    /// How many tasks a source is cut into on a cluster, at the most; none for as many as suit its size.
    pub(crate) fn leaves(&self) -> Option<usize> {
        self.option(LEAVES)?.parse().ok().filter(|leaves| *leaves > 0)
    }

    /// How long a query may take; none for as long as it likes.
    pub(crate) fn query_timeout(&self) -> Option<Duration> {
        self.option(QUERY_TIMEOUT).and_then(|value| duration(&value)).filter(|timeout| !timeout.is_zero())
    }
}

/// Does what a request asks of the settings of a session.
///
/// # Errors
/// A setting that is not there, that is fixed, or a value that it does not take.
pub(crate) fn answer(operation: OpType, config: &RwLock<Config>) -> Result<Vec<KeyValue>> {
    let pair = |key: String, value: Option<String>| KeyValue { key, value };
    match operation {
        OpType::Set(set) => {
            let mut config = config.write();
            for KeyValue { key, value } in set.pairs {
                let set_one = config.set(&key, &value.ok_or_else(|| missing("value"))?);
                if !set.silent.unwrap_or(false) {
                    set_one?;
                }
            }
            Ok(Vec::new())
        }
        OpType::Unset(unset) => {
            let mut config = config.write();
            unset.keys.iter().try_for_each(|key| config.unset(key))?;
            Ok(Vec::new())
        }
        OpType::Get(get) => {
            let config = config.read();
            get.keys.into_iter().map(|key| Ok(pair(key.clone(), Some(config.get(&key)?)))).collect()
        }
        OpType::GetWithDefault(get) => {
            let config = config.read();
            let value = |KeyValue { key, value }| {
                let value = config.with_default(&key, value.as_deref());
                pair(key, value)
            };
            Ok(get.pairs.into_iter().map(value).collect())
        }
        OpType::GetOption(get) => {
            let config = config.read();
            Ok(get.keys.into_iter().map(|key| pair(key.clone(), config.option(&key))).collect())
        }
        OpType::GetAll(all) => {
            let all = config.read().all(all.prefix.as_deref().unwrap_or_default());
            Ok(all.into_iter().map(|(key, value)| pair(key, Some(value))).collect())
        }
        OpType::IsModifiable(keys) => {
            let config = config.read();
            let answer = |key: String| pair(key.clone(), Some(config.is_modifiable(&key).to_string()));
            Ok(keys.keys.into_iter().map(answer).collect())
        }
    }
}

fn default(key: &str) -> Option<(Kind, &'static str)> {
    DEFAULTS.iter().find(|(known, ..)| *known == key).map(|(_, kind, value)| (*kind, *value))
}

fn modifiable(key: &str) -> Result<()> {
    let of_the_process = ["spark.driver.", "spark.executor.", "spark.master", "spark.submit."];
    let condition = match default(key) {
        Some((Static, _)) => "CANNOT_MODIFY_STATIC_CONFIG",
        _ if of_the_process.iter().any(|prefix| key.starts_with(prefix)) => "CANNOT_MODIFY_CONFIG",
        _ => return Ok(()),
    };
    let message =
        format!("Cannot modify the value of the Spark config: \"{key}\". It is fixed when the server starts.");
    Err(SparkError::new(ErrorClass::Analysis, condition, "46110", message).with("key", format!("\"{key}\"")))
}

fn check(key: &str, value: &str) -> Result<()> {
    let (condition, expected) = match default(key).map(|(kind, _)| kind) {
        Some(Boolean) if !matches!(value.trim().to_lowercase().as_str(), "true" | "false") => {
            ("TYPE_MISMATCH", "boolean")
        }
        // Sizes may have a unit.
        Some(Integer) if !value.trim().starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            ("TYPE_MISMATCH", "integer")
        }
        Some(Time) if duration(value).is_none() => {
            ("TYPE_MISMATCH", "a number and a unit (us, ms, s, min, h, d), such as 30s or 500ms")
        }
        Some(TimeZone) if value.parse::<Tz>().is_err() => {
            ("TIME_ZONE", "an IANA name such as Europe/Paris, or an offset such as +01:00")
        }
        _ => return Ok(()),
    };
    Err(SparkError::new(
        ErrorClass::IllegalArgument,
        &format!("INVALID_CONF_VALUE.{condition}"),
        "22022",
        format!("The value '{value}' in the config \"{key}\" is invalid. Expected: {expected}."),
    )
    .with("confName", key)
    .with("confValue", value))
}

/// A duration as Spark writes it: `500ms`, `30s`, `5min`.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_lowercase();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    match unit.trim_start() {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(60 * 60).map(Duration::from_secs),
        "d" => number.checked_mul(24 * 60 * 60).map(Duration::from_secs),
        _ => None,
    }
}
