//! A file that is written at the end of a run, whatever its type: writing to a FIFO that nobody
//! reads, or to a device, must not keep the process from exiting.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::{sync::mpsc, thread, time::Duration};

/// The time that a FIFO's reader or a device may take for the whole text. With the five seconds of
/// a drain it stays below the ten after which Docker kills a container.
const WRITE_TIMEOUT: Duration = Duration::from_secs(3);

/// A file that can be written, judging by its type.
#[derive(Debug)]
pub enum OutFile {
    /// A regular file, already emptied.
    Regular(File),
    /// Standard output or error. Reopening it would overwrite its content if it is a file.
    Stream(File),
    /// A FIFO or a device, which is opened when it is written: opening it can block as well.
    Special(PathBuf),
}

impl OutFile {
    /// Creates or empties the file at `path`, unless it is a FIFO or a device. Fails for what can't
    /// be written, such as a directory.
    pub fn create(path: &Path) -> io::Result<OutFile> {
        let Ok(found) = fs::metadata(path) else {
            return File::create(path).map(OutFile::Regular);
        };
        let kind = found.file_type();
        let stream = |own: BorrowedFd<'_>| own.try_clone_to_owned().map(File::from);
        Ok(match () {
            () if is_stream(&found, 1) => OutFile::Stream(stream(io::stdout().as_fd())?),
            () if is_stream(&found, 2) => OutFile::Stream(stream(io::stderr().as_fd())?),
            () if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() => {
                OutFile::Special(path.into())
            }
            () => OutFile::Regular(File::create(path)?),
        })
    }

    /// Writes the whole text. Gives up after three seconds unless the file is a regular one.
    pub fn write(self, text: String) -> io::Result<()> {
        let regular = matches!(self, OutFile::Regular(_));
        let write = move || {
            let mut file = match self {
                OutFile::Regular(file) | OutFile::Stream(file) => file,
                OutFile::Special(path) => File::options().write(true).open(path)?,
            };
            file.write_all(text.as_bytes())
        };
        if regular {
            return write();
        }
        let (done, outcome) = mpsc::channel();
        // If this thread hangs, the process exits without it.
        let work = move || done.send(write());
        thread::Builder::new().name("report".into()).spawn(work)?;
        outcome.recv_timeout(WRITE_TIMEOUT).unwrap_or_else(|_| {
            let why = format!("not written within {WRITE_TIMEOUT:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        })
    }
}

/// Returns true if a file is the one that is open as this descriptor.
fn is_stream(file: &Metadata, descriptor: i32) -> bool {
    let stream = fs::metadata(format!("/dev/fd/{descriptor}"));
    stream.is_ok_and(|stream| (stream.dev(), stream.ino()) == (file.dev(), file.ino()))
}
