//! Where rows go: stdout, or a file that gets its name once it is complete. A device or a pipe is written to directly
//! and never replaced.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufWriter, Write},
    path::{self, Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use tempfile::TempPath;

use crate::{failure::Failure, options::Format, terminal};

/// Stdout, or a file.
pub(crate) struct Target {
    out: BufWriter<Box<dyn Write + Send>>,
    /// The file; `None` for stdout.
    path: Option<PathBuf>,
    /// The file as it was named, which may be a link.
    given: Option<PathBuf>,
    /// The temporary file that becomes `path` once it is complete; `None` for a device or a pipe.
    part: Option<TempPath>,
}

impl Target {
    /// Opens the target. Called before anything runs, so that a file that can't be written is reported first.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::new(terminal::stdout(), None, None)) };
        let known = fs::metadata(path).ok();
        if known.as_ref().is_some_and(fs::Metadata::is_dir)
            || path.to_string_lossy().ends_with(path::is_separator)
        {
            return Err(Failure::local(format!("this is a folder: {}", path.display())));
        }
        let opened = match known {
            Some(known) if !known.is_file() => {
                OpenOptions::new().write(true).open(path).map(|file| Self::new(file, Some(path), None))
            }
            // Replaces the file that a link points to, not the link. Permissions are kept.
            Some(known) => fs::canonicalize(path).and_then(|path| Self::beside(&path, Some(&known))),
            None => Self::beside(path, None),
        };
        let opened = opened.map_err(|error| unopenable(path, &error))?;
        Ok(Self { given: Some(path.to_owned()), ..opened })
    }

    fn new(out: impl Write + Send + 'static, path: Option<&Path>, part: Option<TempPath>) -> Self {
        let out =
            BufWriter::with_capacity(if path.is_some() { 1 << 20 } else { 8 << 10 }, Box::new(out) as _);
        Self { out, path: path.map(Path::to_owned), given: None, part }
    }

    /// Creates a temporary file in the same folder as `path`.
    fn beside(path: &Path, replaced: Option<&fs::Metadata>) -> io::Result<Self> {
        let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
        let mut new = tempfile::Builder::new();
        new.prefix(&prefix).suffix(".part");
        // The default mode for a new file, subject to the umask; tempfile's own default is 0600.
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // tempfile's message has the temporary name; the kind says what is wrong.
        let new = new.tempfile_in(folder).map_err(|e| io::Error::from(e.kind()))?;
        if let (Some(replaced), true) = (replaced, cfg!(unix)) {
            new.as_file().set_permissions(replaced.permissions())?;
        }
        let (file, part) = new.into_parts();
        Ok(Self::new(file, Some(path), Some(part)))
    }

    /// Finishes writing and gives the file its name.
    pub(crate) fn keep(mut self) -> io::Result<()> {
        self.flush()?;
        match (self.part.take(), &self.path) {
            (Some(part), Some(path)) => part.persist(path).map_err(|e| self.unwritten(&e.error)),
            _ => Ok(()),
        }
    }

    /// The name of the regular file that is written, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.given.as_deref().filter(|_| self.part.is_some())
    }

    pub(crate) fn is_stdout(&self) -> bool {
        self.path.is_none()
    }

    /// Whether this is a regular file, as opposed to a stream that is read as it arrives.
    pub(super) fn is_whole_file(&self) -> bool {
        self.part.is_some()
    }

    /// Keeps the kind of the error, so that a closed pipe isn't reported.
    fn unwritten(&self, error: &io::Error) -> io::Error {
        let to = self.path.as_deref().unwrap_or(Path::new("stdout")).display();
        io::Error::new(error.kind(), format!("cannot write the rows: {error}: {to}"))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|e| self.unwritten(&e))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(|e| self.unwritten(&e))
    }
}

/// Writes text to a target. Long text is written by a thread while the next text is prepared.
pub(crate) struct Writer(State);

enum State {
    Here(Target),
    Behind(Behind),
    Ended,
}

/// The size in bytes from which text is written by a thread.
const LONG: usize = 256 << 10;

/// A thread that writes, and returns the buffers.
struct Behind {
    texts: SyncSender<Vec<u8>>,
    written: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<Target>>,
    /// Whether there is a temporary file to remove if writing is not finished.
    has_part: bool,
}

impl Writer {
    pub(crate) fn new(target: Target) -> Self {
        Self(State::Here(target))
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.0, State::Ended)
    }

    /// Writes the text, or hands it to the thread, and leaves the buffer empty.
    pub(crate) fn write(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        self.0 = match self.take() {
            State::Here(target) if text.len() >= LONG => State::Behind(Behind::new(target)?),
            other => other,
        };
        match &mut self.0 {
            State::Here(target) => target.write_all(text)?,
            State::Behind(behind) => {
                let next = behind.written.try_recv().unwrap_or_default();
                if behind.texts.send(std::mem::replace(text, next)).is_err() {
                    // The thread ended early, so it failed.
                    return self.take().end().map(drop);
                }
            }
            State::Ended => {}
        }
        text.clear();
        Ok(())
    }

    /// Waits until everything is written.
    pub(crate) fn end(mut self) -> io::Result<Target> {
        self.take().end()
    }
}

impl Drop for Writer {
    /// Joins the thread so that its temporary file is removed. Doesn't wait for a pipe, which may have no reader.
    fn drop(&mut self) {
        if let State::Behind(behind) = self.take()
            && behind.has_part
        {
            let _ = behind.end();
        }
    }
}

impl State {
    fn end(self) -> io::Result<Target> {
        match self {
            Self::Here(target) => Ok(target),
            Self::Behind(behind) => behind.end(),
            Self::Ended => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Behind {
    fn new(mut target: Target) -> io::Result<Self> {
        let has_part = target.is_whole_file();
        let (texts, to_write) = sync_channel::<Vec<u8>>(1);
        let (give_back, written) = sync_channel(1);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            for text in to_write {
                target.write_all(&text)?;
                // Drops the buffer if another is already on its way back.
                let _ = give_back.try_send(text);
            }
            Ok(target)
        })?;
        Ok(Self { texts, written, thread, has_part })
    }

    fn end(self) -> io::Result<Target> {
        drop(self.texts);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the writer thread panicked")))
    }
}

fn unopenable(path: &Path, error: &io::Error) -> Failure {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.exists() => {
            Failure::local(format!("there is no such folder: {}", folder.display()))
                .with_hint("create the folder first")
        }
        _ => Failure::local(format!("cannot write this file: {error}: {}", path.display())),
    }
}

/// The requested format, or else the one that the file's extension implies.
pub(crate) fn format_for(asked: Format, file: Option<&Path>) -> Result<Format, Failure> {
    let (Format::Auto, Some(file)) = (asked, file) else { return Ok(asked) };
    let extension = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(match extension.as_str() {
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "md" => Format::Markdown,
        "json" => Format::Json,
        "jsonl" | "ndjson" => Format::Jsonl,
        "arrow" | "arrows" | "feather" => Format::Arrow,
        "parquet" => Format::Parquet,
        "txt" => Format::Table,
        _ => {
            let message = format!("the file's extension names no format: {}", file.display());
            return Err(Failure::usage(message).with_hint(
                "use .csv, .tsv, .md, .json, .jsonl, .arrow, .parquet, or .txt, or set a format, such as -o csv",
            ));
        }
    })
}
