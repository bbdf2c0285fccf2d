//! The checksums of everything that is handed out, in the format of `sha256sum`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use sha2::{Digest, Sha256};

/// Writes SHA256SUMS, with all wheels and archives of the version in the folder.
pub(crate) fn write(folder: &Path, version: &str) -> Result<()> {
    let start = format!("brickwire-{version}-");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) && [".whl", ".tar.gz", ".zip"].iter().any(|end| name.ends_with(end)) {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut text = String::new();
    for name in names {
        for byte in Sha256::digest(fs::read(folder.join(&name))?) {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "  {name}");
    }
    Ok(fs::write(folder.join("SHA256SUMS"), text)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::write;

    #[test]
    fn what_is_handed_out_has_a_line_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("brickwire-1.2.3-py3.whl", "abc"),
            ("brickwire-1.2.3-arm.zip", ""),
            ("brickwire-1.2.2-py3.whl", ""),
            ("brickwire-1.2.3.crate", ""),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        write(folder.path(), "1.2.3").unwrap();
        // The sums of FIPS 180-2 for "" and for "abc".
        assert_eq!(
            fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  brickwire-1.2.3-arm.zip\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  brickwire-1.2.3-py3.whl\n"
        );
    }
}
