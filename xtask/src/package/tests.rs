//! The archive, from a program that only knows what an archive needs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    archive,
    build::Built,
    check,
    place::{Kind, Place},
    python::Environment,
    third_party,
};
use crate::metadata;

/// Its answer to the query is yet to be filled in.
const PROGRAM: &str = r#"#!/bin/sh
case "$1" in
  --version) printf 'brick 1.2.3\n' ;;
  --sandbox) [ -z "${CARGO-}" ] && printf '%s\n' ANSWER ;;
  completions) printf 'a script for %s\n' "$2" ;;
  reference) mkdir "$2/man" && printf 'a page\n' > "$2/man/brick.1" ;;
esac
"#;

fn script(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

struct Package {
    place: Place,
    python: Environment,
    licenses: PathBuf,
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Package {
    fn new(answer: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let temporary = tempfile::tempdir().unwrap();
        let (folder, work) = (temporary.path().to_owned(), temporary.path().join("work"));
        let target = "x86_64-unknown-linux-gnu".to_owned();
        let program = folder.join("brick");
        script(&program, &PROGRAM.replace("ANSWER", answer));
        // The machine's Python in place of an environment, which takes seconds to make.
        fs::create_dir_all(work.join("python/bin")).unwrap();
        script(&work.join("python/bin/python"), "#!/bin/sh\nexec python3 \"$@\"\n");
        let licenses = folder.join("licenses.txt");
        let names: String = third_party::always_linked(&metadata::load(&root).unwrap())
            .map(|name| format!("\n- {name} 1.0.0"))
            .collect();
        fs::write(&licenses, format!("Apache License{names}\n")).unwrap();
        let place = Place { root, kind: Kind::Full, version: "1.2.3".into(), target, folder, work };
        let python = Environment::in_folder(&place.work.join("python")).unwrap();
        Self { place, python, licenses, program, _folder: temporary }
    }

    fn make_and_check(&self) -> anyhow::Result<()> {
        let built = Built { wheel: PathBuf::new(), program: self.program.clone() };
        archive::make(&self.place, &self.python, &built, &self.licenses)?;
        check::archive(&self.place, &self.python, &self.place.archive())
    }
}

#[test]
fn an_archive_is_unpacked_and_its_program_run() {
    let package = Package::new(r#"'[' '  {"1":1}' ']'"#);
    package.make_and_check().unwrap();
    assert!(package.place.folder.join("brickwire-1.2.3-x86_64-unknown-linux-gnu.tar.gz").exists());
    let top = package.place.work.join("unpacked/brickwire-1.2.3-x86_64-unknown-linux-gnu");
    assert_eq!(fs::read_to_string(top.join("completions/_brick")).unwrap(), "a script for zsh\n");

    fs::write(&package.licenses, "Apache License\n").unwrap();
    let error = package.make_and_check().unwrap_err().to_string();
    assert!(error.starts_with("THIRD-PARTY-LICENSES.txt lacks "), "{error}");
    fs::write(&package.licenses, "").unwrap();
    let error = package.make_and_check().unwrap_err().to_string();
    assert_eq!(error, "the archive has no THIRD-PARTY-LICENSES.txt, or it is empty");
}

#[test]
fn another_answer_than_the_expected_one_is_refused() {
    let error = Package::new("'[]'").make_and_check().unwrap_err().to_string();
    assert!(error.starts_with("`brick --sandbox sql SELECT 1` printed \"[]\\n\", not "), "{error}");
}
