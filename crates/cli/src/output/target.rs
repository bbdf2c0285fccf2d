//! Where rows go: stdout, or a file that has its name only once it is whole. What is no file, a device or a pipe, is
//! written as it is: it must not be replaced.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{self, Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use tempfile::TempPath;

use crate::{failure::Failure, options::Format};

/// Stdout, or a file.
pub(crate) enum Target {
    Stdout(BufWriter<io::Stdout>),
    /// Written under another name in the same folder, or as it is if that is `None`.
    File {
        file: BufWriter<File>,
        part: Option<TempPath>,
        path: PathBuf,
    },
}

impl Target {
    /// Opens the target; a file that can't be written is told before anything is run.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        let known = fs::metadata(path).ok();
        if known.as_ref().is_some_and(fs::Metadata::is_dir)
            || path.to_string_lossy().ends_with(path::is_separator)
        {
            return Err(Failure::local(format!("this is a folder: {}", path.display())));
        }
        let opened = match known {
            Some(known) if !known.is_file() => {
                OpenOptions::new().write(true).open(path).map(|file| (file, None, path.to_owned()))
            }
            Some(known) => fs::canonicalize(path).and_then(|path| {
                // Not the link to it is replaced, and what was private stays so.
                let (file, part) = beside(&path)?;
                #[cfg(unix)]
                file.set_permissions(known.permissions())?;
                Ok((file, Some(part), path))
            }),
            None => beside(path).map(|(file, part)| (file, Some(part), path.to_owned())),
        };
        let (file, part, real) = opened.map_err(|e| unopenable(path, &e))?;
        Ok(Self::File { file: BufWriter::with_capacity(1 << 20, file), part, path: real })
    }

    /// Everything has been written: the file gets its name.
    pub(crate) fn keep(mut self) -> io::Result<()> {
        self.flush()?;
        match self {
            Self::File { part: Some(part), path, .. } => {
                part.persist(&path).map_err(|e| unwritten(&e.error, &path.display()))
            }
            Self::File { .. } | Self::Stdout(_) => Ok(()),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes).map_err(|e| unwritten(&e, &"stdout")),
            Self::File { file, path, .. } => file.write(bytes).map_err(|e| unwritten(&e, &path.display())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush().map_err(|e| unwritten(&e, &"stdout")),
            Self::File { file, path, .. } => file.flush().map_err(|e| unwritten(&e, &path.display())),
        }
    }
}

/// Text on its way to a target. What is long is written by a thread, while the next is laid out.
pub(crate) struct Writer(State);

enum State {
    Here(Target),
    Behind(Behind),
    Ended,
}

/// So much text at once is long.
const LONG: usize = 256 << 10;

/// A thread that writes, and gives the memory back.
struct Behind {
    texts: SyncSender<Vec<u8>>,
    written: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<Target>>,
    /// Whether there is a file to be removed if it doesn't get whole.
    has_part: bool,
}

impl Writer {
    pub(crate) fn new(target: Target) -> Self {
        Self(State::Here(target))
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.0, State::Ended)
    }

    /// Writes the text, or has it written, and leaves none.
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
                    // It ended before the texts did, so it failed.
                    return self.take().end().map(drop);
                }
            }
            State::Ended => {}
        }
        text.clear();
        Ok(())
    }

    /// Waits until all is written.
    pub(crate) fn end(mut self) -> io::Result<Target> {
        self.take().end()
    }
}

impl Drop for Writer {
    /// The file that isn't whole is removed before the program ends. A pipe that nobody reads is not waited for.
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
        let has_part = matches!(target, Target::File { part: Some(_), .. });
        let (texts, to_write) = sync_channel::<Vec<u8>>(1);
        let (give_back, written) = sync_channel(1);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            for text in to_write {
                target.write_all(&text)?;
                // If there is enough memory on its way back, this goes.
                let _ = give_back.try_send(text);
            }
            Ok(target)
        })?;
        Ok(Self { texts, written, thread, has_part })
    }

    fn end(self) -> io::Result<Target> {
        drop(self.texts);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing of the rows stopped")))
    }
}

/// A new file in the folder of the one at `path`, which it replaces once it is whole.
fn beside(path: &Path) -> io::Result<(File, TempPath)> {
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let mut new = tempfile::Builder::new();
    new.prefix(&prefix).suffix(".part");
    // As for any new file, less what the umask takes; by default only the user could read it.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The error names the file under its passing name; the kind alone says as much.
    Ok(new.tempfile_in(folder).map_err(|e| io::Error::from(e.kind()))?.into_parts())
}

/// The kind stays, so that a closed pipe stays quiet.
fn unwritten(error: &io::Error, to: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write the rows: {error}: {to}"))
}

fn unopenable(path: &Path, error: &io::Error) -> Failure {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.exists() => {
            Failure::local(format!("there is no such folder: {}", folder.display()))
                .with_hint("create it first")
        }
        _ => Failure::local(format!("cannot write this file: {error}: {}", path.display())),
    }
}

/// The format that a file's name asks for.
pub(crate) fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "arrow" | "arrows" | "feather" => Some(Format::Arrow),
        "parquet" => Some(Format::Parquet),
        "txt" => Some(Format::Table),
        _ => None,
    }
}
