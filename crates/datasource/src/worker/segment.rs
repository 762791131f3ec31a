//! Memory that a worker writes batches to, and that this process reads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions};
use parking_lot::Mutex;
use rustix::fs::{SealFlags, fcntl_get_seals};

use crate::worker::protocol::Place;

/// The segments of one worker.
#[derive(Default)]
pub(crate) struct Segments {
    /// Those that the worker uses again.
    kept: HashMap<u32, Arc<Mmap>>,
    freed: Arc<Mutex<Vec<u32>>>,
}

/// A segment that rows lie in. When the last of them is dropped, the worker may write to it again.
struct Loan {
    memory: Arc<Mmap>,
    length: usize,
    number: u32,
    freed: Arc<Mutex<Vec<u32>>>,
}

impl Segments {
    /// The stream that lies at `place`. `file` is the segment where that is new.
    ///
    /// # Errors
    /// A place that is not there.
    pub(crate) fn open(&mut self, place: &Place, file: Option<OwnedFd>) -> io::Result<Bytes> {
        let memory = match (place.capacity, file) {
            (None, _) => self.kept.get(&place.number).cloned(),
            (Some(capacity), Some(file)) => {
                let file = File::from(file);
                match map(&file, capacity) {
                    Ok(memory) => {
                        let memory = Arc::new(memory);
                        if place.kept {
                            self.kept.insert(place.number, Arc::clone(&memory));
                        }
                        Some(memory)
                    }
                    // A process has a limited number of mappings, and a query that holds many batches may reach it.
                    Err(error) if error.kind() == ErrorKind::OutOfMemory && !place.kept => {
                        return read(file, place.length);
                    }
                    Err(error) => return Err(error),
                }
            }
            (Some(_), None) => None,
        };
        match memory {
            Some(memory) if place.length <= memory.len() => Ok(Bytes::from_owner(Loan {
                memory,
                length: place.length,
                number: place.number,
                freed: Arc::clone(&self.freed),
            })),
            _ => Err(Error::new(ErrorKind::InvalidData, format!("there is no segment {}", place.number))),
        }
    }

    /// Forgets segments that the worker has forgotten.
    pub(crate) fn drop_all(&mut self, numbers: &[u32]) {
        self.kept.retain(|number, _| !numbers.contains(number));
    }

    /// The segments in which no rows lie any more since the last call.
    pub(crate) fn take_freed(&self) -> Vec<u32> {
        let mut freed = std::mem::take(&mut *self.freed.lock());
        freed.retain(|number| self.kept.contains_key(number));
        freed
    }
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.freed.lock().push(self.number);
    }
}

fn map(file: &File, capacity: usize) -> io::Result<Mmap> {
    // A file that became smaller would end this process when the memory is read.
    let sealed = fcntl_get_seals(file).map(|seals| seals.contains(SealFlags::SHRINK));
    let is_long_enough = file.metadata()?.len() >= capacity as u64;
    if sealed == Ok(false) || !is_long_enough {
        return Err(Error::new(ErrorKind::InvalidData, "the memory of a batch is not what it is said to be"));
    }
    // SAFETY: the file has no name and stays as long as it is: it is sealed, or is a temporary one that the worker's own
    // code has claimed and forgotten. The worker writes to it only until it has sent the batch, and again after it was
    // told that nothing reads it. (Native code of a plug-in that writes to wild addresses may break this, as it may
    // break a process that it runs in; the mapping is one of its many.)
    unsafe { MmapOptions::new().len(capacity).populate().map(file) }
}

fn read(mut file: File, length: usize) -> io::Result<Bytes> {
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}
