//! Where rows go: stdout, or a file that has its name only once it is whole.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::{args::Format, report::Failure};

/// Stdout, or a file.
pub(crate) enum Target {
    Stdout(BufWriter<io::Stdout>),
    /// Written under another name in the same folder.
    File {
        file: BufWriter<File>,
        part: Part,
        path: PathBuf,
    },
}

/// The name of a file that isn't whole yet; the file is removed with it.
pub(crate) struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Once it has its own name there is nothing to remove.
        let _ = fs::remove_file(&self.0);
    }
}

impl Target {
    /// Opens the target; a file that can't be written is told before anything is run.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        if path.is_dir() {
            return Err(Failure::Unable(format!("this is a folder: {}", path.display())));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create_new(&part).map_err(|e| Failure::file(path, &e))?;
        Ok(Self::File {
            file: BufWriter::with_capacity(1 << 20, file),
            part: Part(part),
            path: path.to_owned(),
        })
    }

    /// Everything has been written: the file gets its name.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File { mut file, part, path } => {
                file.flush().and_then(|()| fs::rename(&part.0, &path)).map_err(|e| Failure::file(&path, &e))
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File { file, path, .. } => file.write(bytes).map_err(|e| named(&e, path)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File { file, path, .. } => file.flush().map_err(|e| named(&e, path)),
        }
    }
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{error}: {}", path.display()))
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
