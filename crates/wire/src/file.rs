//! Small files that others write: settings, certificates, and tokens. Only regular files up to a limit are read.
//!
//! A pipe, such as `/dev/stdin` or a shell's `<(…)`, is refused: it may never end or never begin, and settings are read
//! more than once, which a pipe can't be. `/dev/null` is an empty file.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

/// The longest file of settings, certificates, or logins, in bytes.
pub const LIMIT: u64 = 16 << 20;

/// Reads a regular file of up to `limit` bytes.
///
/// ```
/// use brickwire_wire::file;
/// let error = file::read("/".as_ref(), file::LIMIT).unwrap_err();
/// assert_eq!(error.to_string(), "it is not a regular file");
/// ```
///
/// # Errors
/// Those of the system, [`ErrorKind::InvalidInput`] for what is no regular file, and [`ErrorKind::FileTooLarge`].
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let refuse = || Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    if cfg!(unix) && path == Path::new("/dev/null") {
        return Ok(Vec::new());
    }
    // Opening a pipe waits for its writer.
    if !path.metadata()?.is_file() {
        return refuse();
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return refuse();
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let text = match limit >> 20 {
            0 => format!("it is larger than {limit} bytes"),
            mebibytes => format!("it is larger than {mebibytes} MiB"),
        };
        return Err(io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        let kind = |path: &Path, limit| read(path, limit).unwrap_err().kind();
        assert_eq!(kind(&file, 4), ErrorKind::FileTooLarge);
        assert_eq!(kind(folder.path(), 5), ErrorKind::InvalidInput);
        assert_eq!(kind(&folder.path().join("missing"), 5), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            assert_eq!(read(path, 5).unwrap_err().kind(), ErrorKind::InvalidInput, "{path:?}");
        }
        assert_eq!(read(Path::new("/dev/null"), 5).unwrap(), b"");
    }
}
