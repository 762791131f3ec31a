//! The server's end of the socket to a worker.

use std::collections::VecDeque;
use std::fs::Permissions;
use std::io::{self, ErrorKind, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tempfile::TempDir;

use crate::worker::protocol::{LENGTHS, Reply, Request};

/// How long a receiver waits before it says that nothing came.
const TICK: Duration = Duration::from_millis(50);

/// A worker that takes nothing for so long does not run.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

const CHUNK: usize = 64 << 10;

/// Where a worker connects: a socket in a directory that only the owner can enter. Both are gone when this is dropped.
pub(crate) struct Meeting {
    directory: TempDir,
    listener: UnixListener,
}

impl Meeting {
    pub(crate) fn open() -> io::Result<Self> {
        let owner_only = Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("sheetbend-").permissions(owner_only).tempdir()?;
        let listener = UnixListener::bind(address(&directory))?;
        listener.set_nonblocking(true)?;
        Ok(Self { directory, listener })
    }

    pub(crate) fn address(&self) -> PathBuf {
        address(&self.directory)
    }

    /// The connection of the worker; none where it has not come yet.
    pub(crate) fn accept(&self) -> io::Result<Option<Connection>> {
        match self.listener.accept() {
            Ok((socket, _)) => Connection::new(socket).map(Some),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn address(directory: &TempDir) -> PathBuf {
    directory.path().join("worker")
}

/// Receives what the worker says.
pub(crate) struct Connection {
    socket: UnixStream,
    sender: Sender,
    input: BytesMut,
    files: VecDeque<OwnedFd>,
}

/// Says something to the worker, from any thread.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Mutex<UnixStream>>);

/// What has come.
pub(crate) enum Received {
    Reply(Reply, Bytes),
    /// Nothing for a while.
    Silence,
    /// The worker is gone.
    End,
}

impl Connection {
    fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(TICK))?;
        socket.set_write_timeout(Some(SEND_TIMEOUT))?;
        let sender = Sender(Arc::new(Mutex::new(socket.try_clone()?)));
        Ok(Self { socket, sender, input: BytesMut::new(), files: VecDeque::new() })
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Whether a whole frame has come that was not received yet.
    pub(crate) fn has_frame(&self) -> bool {
        self.frame_bytes().is_some_and(|bytes| self.input.len() >= bytes)
    }

    /// The file that came with the frame that was received last.
    pub(crate) fn take_file(&mut self) -> Option<OwnedFd> {
        self.files.pop_front()
    }

    /// The next frame. Waits for at most [`TICK`] where nothing comes.
    ///
    /// # Errors
    /// A frame that is none.
    pub(crate) fn receive(&mut self) -> io::Result<Received> {
        while !self.has_frame() {
            match self.fill() {
                Ok(0) => return Ok(Received::End),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Silence),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Received::End),
                Err(error) => return Err(error),
            }
        }
        let header = self.input.get_u32_le() as usize;
        let payload = self.input.get_u32_le() as usize;
        let header = self.input.split_to(header);
        let payload = self.input.split_to(payload).freeze();
        Ok(Received::Reply(serde_json::from_slice(&header)?, payload))
    }

    fn frame_bytes(&self) -> Option<usize> {
        let mut lengths = self.input.get(..LENGTHS)?;
        Some(LENGTHS + lengths.get_u32_le() as usize + lengths.get_u32_le() as usize)
    }

    fn fill(&mut self) -> io::Result<usize> {
        let known = self.input.len();
        self.input.resize(known + CHUNK, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(self.input.get_mut(known..).unwrap_or_default())];
        let received = recvmsg(&self.socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC);
        let count = received.as_ref().map_or(0, |received| received.bytes);
        self.input.truncate(known + count);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files.extend(files);
            }
        }
        received?;
        Ok(count)
    }
}

impl Sender {
    /// Sends a request with its payload.
    pub(crate) fn send(&self, request: &Request<'_>, payload: &[u8]) -> io::Result<()> {
        let header = serde_json::to_vec(request)?;
        let length = |bytes: &[u8]| {
            u32::try_from(bytes.len()).map_err(|_| io::Error::new(ErrorKind::InvalidInput, "more than 4 GiB in a call"))
        };
        let mut frame = Vec::with_capacity(LENGTHS + header.len());
        frame.extend(length(&header)?.to_le_bytes());
        frame.extend(length(payload)?.to_le_bytes());
        frame.extend(header);
        let mut socket = self.0.lock();
        socket.write_all(&frame)?;
        socket.write_all(payload)
    }
}
