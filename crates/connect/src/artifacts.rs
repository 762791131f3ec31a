//! What a client has uploaded: the rows of a large `createDataFrame`, and Python files for its data sources.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;
use prost::bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use sheetbend_datasource::client_class::PythonFiles;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use spark_connect_proto::add_artifacts_request::{ArtifactChunk, Payload};
use spark_connect_proto::add_artifacts_response::ArtifactSummary;

use crate::error::missing;

/// Blobs are named by their content.
const CACHE: &str = "cache/";

/// Python files are named by their path below this.
const PYTHON_FILES: &str = "pyfiles/";

/// What a Python file may be: a module, or an archive of modules.
const PYTHON_SUFFIXES: [&str; 4] = [".py", ".zip", ".egg", ".jar"];

/// What a session may hold; the client learns it as `spark.sql.session.localRelationSizeLimit`.
const SESSION_BYTES: usize = 1 << 30;

/// The artifacts of a session.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    /// By the SHA-256 of their content.
    blobs: RwLock<HashMap<String, Bytes>>,
    python_files: Arc<PythonFiles>,
}

impl Clone for Artifacts {
    fn clone(&self) -> Self {
        Self { blobs: RwLock::new(self.blobs.read().clone()), python_files: Arc::new(self.python_files.fork()) }
    }
}

impl Artifacts {
    /// The blob with this hash.
    ///
    /// # Errors
    /// None was uploaded.
    pub(crate) fn get(&self, hash: &str) -> Result<Bytes> {
        self.blobs.read().get(hash).cloned().ok_or_else(|| {
            SparkError::new(
                ErrorClass::Runtime,
                "LOCAL_RELATION_NOT_FOUND",
                "42K0Q",
                format!("No local relation with the hash {hash} was uploaded in this session."),
            )
        })
    }

    /// Whether a blob of this name is there. Clients do not ask for anything else.
    pub(crate) fn exists(&self, name: &str) -> bool {
        name.strip_prefix(CACHE).is_some_and(|hash| self.blobs.read().contains_key(hash))
    }

    /// The Python files, also those that come later.
    pub(crate) fn python_files(&self) -> Arc<PythonFiles> {
        Arc::clone(&self.python_files)
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.blobs.write().clear();
    }

    fn add(&self, name: &str, data: Bytes, digest: Sha256) -> Result<()> {
        if let Some(file) = name.strip_prefix(PYTHON_FILES) {
            return self.add_python_file(file, &data);
        }
        let Some(hash) = name.strip_prefix(CACHE) else {
            return Err(SparkError::unsupported(format_args!(
                "the artifact `{name}`: only cached relations and Python files (`pyfile=True`)"
            )));
        };
        let found = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if found != hash {
            return Err(invalid(&format!("The artifact `{name}` does not have the hash of its name: it has {found}.")));
        }
        let mut blobs = self.blobs.write();
        if blobs.contains_key(hash) {
            return Ok(());
        }
        check_size(self.bytes(&blobs) + data.len())?;
        blobs.insert(hash.to_owned(), data);
        Ok(())
    }

    fn add_python_file(&self, file: &str, data: &[u8]) -> Result<()> {
        if file.contains(['/', '\\', '\0']) || file.starts_with('.') {
            return Err(SparkError::new(
                ErrorClass::Runtime,
                "INVALID_ARTIFACT_PATH",
                "22023",
                format!(
                    "Artifact with name {PYTHON_FILES}{file} is invalid. The name must be a relative path and cannot \
                     reference parent/sibling/nephew directories."
                ),
            )
            .with("name", format!("{PYTHON_FILES}{file}")));
        }
        if !PYTHON_SUFFIXES.iter().any(|suffix| file.ends_with(suffix)) {
            let expected = PYTHON_SUFFIXES.join(", ");
            return Err(invalid(&format!(
                "The artifact `{PYTHON_FILES}{file}` is no Python file; expected {expected}."
            )));
        }
        let blobs = self.blobs.write();
        check_size(self.bytes(&blobs) + data.len())?;
        if self.python_files.add(file, data) {
            return Ok(());
        }
        Err(SparkError::new(
            ErrorClass::Runtime,
            "ARTIFACT_ALREADY_EXISTS",
            "42713",
            format!(
                "The artifact {PYTHON_FILES}{file} already exists. Please choose a different name for the new artifact \
                 because it cannot be overwritten."
            ),
        )
        .with("normalizedRemoteRelativePath", format!("{PYTHON_FILES}{file}")))
    }

    fn bytes(&self, blobs: &HashMap<String, Bytes>) -> usize {
        blobs.values().map(Bytes::len).sum::<usize>() + self.python_files.bytes()
    }
}

/// The upload of one `AddArtifacts` call.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    /// By name, whether the checksum was right.
    summaries: BTreeMap<String, bool>,
    current: Option<Chunked>,
}

/// An artifact that comes in several messages.
#[derive(Debug)]
struct Chunked {
    name: String,
    data: BytesMut,
    /// Of `data`, counted as it comes: at the end it would keep other requests waiting.
    digest: Sha256,
    total_bytes: usize,
    chunks_left: i64,
    intact: bool,
}

impl Upload {
    /// Takes in one message.
    ///
    /// # Errors
    /// Messages out of order, or an artifact that is refused.
    pub(crate) fn add(&mut self, payload: Option<Payload>, artifacts: &Artifacts) -> Result<()> {
        match payload.ok_or_else(|| missing("payload"))? {
            Payload::Batch(batch) => {
                self.idle()?;
                for artifact in batch.artifacts {
                    let chunk = artifact.data.unwrap_or_default();
                    let digest = Sha256::new_with_prefix(&chunk.data);
                    self.finish(&artifact.name, intact(&chunk), chunk.data, digest, artifacts)?;
                }
                Ok(())
            }
            Payload::BeginChunk(begin) => {
                self.idle()?;
                let total_bytes = usize::try_from(begin.total_bytes).map_err(|_| invalid("An artifact of no size."))?;
                check_size(total_bytes)?;
                self.current = Some(Chunked {
                    name: begin.name,
                    data: BytesMut::new(),
                    digest: Sha256::new(),
                    total_bytes,
                    chunks_left: begin.num_chunks,
                    intact: true,
                });
                self.chunk(begin.initial_chunk.unwrap_or_default(), artifacts)
            }
            Payload::Chunk(chunk) => self.chunk(chunk, artifacts),
        }
    }

    /// What became of each artifact.
    ///
    /// # Errors
    /// The last artifact is not whole.
    pub(crate) fn end(self) -> Result<Vec<ArtifactSummary>> {
        self.idle()?;
        Ok(self
            .summaries
            .into_iter()
            .map(|(name, is_crc_successful)| ArtifactSummary { name, is_crc_successful })
            .collect())
    }

    fn chunk(&mut self, chunk: ArtifactChunk, artifacts: &Artifacts) -> Result<()> {
        let Some(current) = &mut self.current else {
            return Err(invalid("A chunk came without the beginning of its artifact."));
        };
        current.intact &= intact(&chunk);
        current.data.extend_from_slice(&chunk.data);
        current.digest.update(&chunk.data);
        current.chunks_left -= 1;
        if current.data.len() > current.total_bytes {
            return Err(invalid(&format!("The artifact `{}` is longer than it said.", current.name)));
        }
        if current.chunks_left > 0 {
            return Ok(());
        }
        match self.current.take() {
            Some(whole) => self.finish(&whole.name, whole.intact, whole.data.freeze(), whole.digest, artifacts),
            None => Ok(()),
        }
    }

    fn finish(&mut self, name: &str, intact: bool, data: Bytes, digest: Sha256, artifacts: &Artifacts) -> Result<()> {
        if intact {
            artifacts.add(name, data, digest)?;
        }
        self.summaries.insert(name.to_owned(), intact);
        Ok(())
    }

    fn idle(&self) -> Result<()> {
        match &self.current {
            None => Ok(()),
            Some(current) => Err(invalid(&format!(
                "The artifact `{}` is not whole: {} chunks did not come.",
                current.name, current.chunks_left
            ))),
        }
    }
}

fn intact(chunk: &ArtifactChunk) -> bool {
    i64::from(crc32fast::hash(&chunk.data)) == chunk.crc
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= SESSION_BYTES {
        return Ok(());
    }
    Err(SparkError::new(
        ErrorClass::Runtime,
        "LOCAL_RELATION_SIZE_LIMIT_EXCEEDED",
        "54000",
        format!("The session's local relations would take {bytes} bytes; the limit is {SESSION_BYTES}."),
    ))
}

fn invalid(message: &str) -> SparkError {
    SparkError::new(ErrorClass::IllegalArgument, "INVALID_ARTIFACT", "22023", message)
}
