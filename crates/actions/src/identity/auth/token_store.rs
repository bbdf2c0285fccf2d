//! Stores the tokens of browser logins in `~/.config/brickwire/tokens.json`, readable by its owner only, in the format of
//! the Databricks CLI (version 1), each token with the host that issued it. This crate writes no other file but downloads,
//! a profile that is saved, and an empty file next to this one that is locked while a login is renewed.
//!
//! With the feature `keyring` a login goes into the operating system's keyring, or into the file if there is none. The
//! feature is off by default: on Linux a keyring is a D-Bus service whose client is some seventy crates, more than half
//! as many as all the others, and servers and containers have no such service.
#[cfg(feature = "keyring")]
mod keyring;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use brickwire_wire::{file, time};
use serde_json::{Map, Value, json};

use crate::{
    Environment, Error, ErrorKind, Result, Secret, identity::environment::HOME, local_name::replace,
};

/// The tokens of a login.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredToken {
    pub(crate) access_token: Secret,
    pub(crate) token_type: String,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expiry: Option<SystemTime>,
    /// The origin that the token may be sent to.
    pub(crate) host: Option<String>,
}

impl StoredToken {
    fn read(json: &Value) -> Option<Self> {
        let text = |key: &str| json[key].as_str().filter(|t| !t.is_empty());
        Some(Self {
            access_token: Secret::new(text("access_token")?),
            token_type: text("token_type").unwrap_or("Bearer").to_owned(),
            refresh_token: text("refresh_token").map(Secret::new),
            expiry: text("expiry").and_then(time::parse_rfc3339),
            host: text("host").map(str::to_owned),
        })
    }

    fn write(&self) -> Value {
        let mut json = json!({ "access_token": self.access_token.expose(), "token_type": self.token_type });
        if let Some(refresh) = &self.refresh_token {
            json["refresh_token"] = refresh.expose().into();
        }
        if let Some(expiry) = self.expiry {
            json["expiry"] = time::format_rfc3339(expiry).into();
        }
        if let Some(host) = &self.host {
            json["host"] = host.clone().into();
        }
        json
    }
}

/// The place where tokens are stored.
#[derive(Debug, Clone)]
pub(crate) struct TokenStore {
    file: PathBuf,
    /// Whether to use the keyring: only the process's own environment does, so that tests never reach the user's keyring.
    #[cfg(feature = "keyring")]
    keyring: bool,
}

impl TokenStore {
    /// The store in the environment's home directory.
    pub(crate) fn new(environment: &Environment) -> Result<Self> {
        let home = environment.home().ok_or_else(|| {
            Error::configuration("there is no home directory to store a login in")
                .with_hint(format!("set {HOME}"))
        })?;
        Ok(Self {
            file: home.join(".config").join("brickwire").join("tokens.json"),
            #[cfg(feature = "keyring")]
            keyring: environment.is_real(),
        })
    }

    #[cfg(test)]
    pub(crate) fn at(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            #[cfg(feature = "keyring")]
            keyring: false,
        }
    }

    /// The token with this key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<StoredToken>> {
        #[cfg(feature = "keyring")]
        if self.keyring
            && let keyring::Outcome::Done(found) = keyring::get(key)
        {
            return Ok(serde_json::from_str(found.expose()).ok().as_ref().and_then(StoredToken::read));
        }
        let tokens = self.load()?;
        let Some(token) = tokens.get(key) else { return Ok(None) };
        StoredToken::read(token).map(Some).ok_or_else(|| {
            self.damaged(&format!("no access_token for {key}")).with_hint("log out and log in again")
        })
    }

    /// Waits for the lock on renewals and holds it until the file is dropped; `None` where files can't be locked. Read
    /// the store again once the lock is held: another process may have renewed the login meanwhile.
    pub(crate) fn lock(&self) -> Option<File> {
        make_private_dir(self.file.parent()?).ok()?;
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = self.file.with_extension("lock");
        // Opening a pipe would wait for its reader.
        if lock.metadata().is_ok_and(|file| !file.is_file()) {
            return None;
        }
        let file = options.write(true).create(true).truncate(false).open(lock).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    /// Stores a token, replacing an older one.
    pub(crate) fn put(&self, key: &str, token: &StoredToken) -> Result<()> {
        #[cfg(feature = "keyring")]
        if self.keyring
            && let keyring::Outcome::Done(()) = keyring::put(key, &Secret::new(token.write().to_string()))
        {
            // An older token may have been stored when there was no keyring.
            return self.remove_from_file(key).map(drop);
        }
        let mut tokens = self.load()?;
        tokens.insert(key.to_owned(), token.write());
        self.save(tokens)
    }

    /// Deletes a token, and returns whether there was one.
    pub(crate) fn remove(&self, key: &str) -> Result<bool> {
        #[cfg(feature = "keyring")]
        if self.keyring
            && let keyring::Outcome::Done(()) = keyring::remove(key)
        {
            return self.remove_from_file(key).map(|_| true);
        }
        self.remove_from_file(key)
    }

    fn remove_from_file(&self, key: &str) -> Result<bool> {
        let mut tokens = self.load()?;
        let found = tokens.remove(key).is_some();
        if found {
            self.save(tokens)?;
        }
        Ok(found)
    }

    fn load(&self) -> Result<Map<String, Value>> {
        let shown = self.file.display();
        let text = match file::read(&self.file, file::LIMIT) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(e) => {
                return Err(Error::new(
                    ErrorKind::Local,
                    format!("the stored logins can't be read: {shown}"),
                )
                .with_source(e));
            }
        };
        let Ok(mut json) = serde_json::from_slice::<Value>(&text) else {
            return Err(self.damaged("not JSON"));
        };
        let version = json["version"].as_u64().unwrap_or_default();
        if version != 1 {
            return Err(self.damaged(&format!("needs version 1, got version {version}")));
        }
        match json["tokens"].take() {
            Value::Object(tokens) => Ok(tokens),
            Value::Null => Ok(Map::new()),
            _ => Err(self.damaged("`tokens` is not an object")),
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::configuration(format!("cannot parse the stored logins: {why}: {}", self.file.display()))
            .with_hint("delete the file and log in again")
    }

    fn save(&self, tokens: Map<String, Value>) -> Result<()> {
        let text = json!({ "version": 1, "tokens": tokens }).to_string();
        self.replace(text.as_bytes()).map_err(|e| {
            Error::new(ErrorKind::Local, format!("the login can't be stored: {}", self.file.display()))
                .with_source(e)
        })
    }

    /// Puts a new file in the place of the old one, so that readers never see a partial file. Only its owner may open a
    /// file that `tempfile` creates.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        make_private_dir(dir)?;
        let mut new = tempfile::Builder::new().prefix(".tokens-").tempfile_in(dir)?;
        new.write_all(bytes)?;
        new.as_file().sync_all()?;
        replace(new.into_temp_path(), &self.file)
    }
}

fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_replaces_and_deletes_for_the_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let store = TokenStore::new(&Environment::default().with_home(home.path())).unwrap();
        let mut token = StoredToken {
            access_token: Secret::new("a1"),
            token_type: "Bearer".to_owned(),
            refresh_token: Some(Secret::new("r1")),
            expiry: time::parse_rfc3339("2099-01-01T00:00:00Z"),
            host: Some("https://x.example".to_owned()),
        };
        assert_eq!(store.get("k").unwrap(), None);
        assert!(!store.file.exists(), "reading makes no file");
        store.put("k", &token).unwrap();
        token.access_token = Secret::new("a2");
        store.put("k", &token).unwrap();
        store.put("other", &token).unwrap();
        assert_eq!(store.get("k").unwrap().as_ref(), Some(&token));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&store.file), mode(store.file.parent().unwrap())), (0o600, 0o700));
        }
        assert!(store.remove("k").unwrap() && !store.remove("k").unwrap());
        assert_eq!(store.get("other").unwrap(), Some(token));
        assert_eq!(std::fs::read_dir(store.file.parent().unwrap()).unwrap().count(), 1, "no leftovers");
        assert!(TokenStore::new(&Environment::default()).is_err());
    }

    #[test]
    fn a_damaged_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        let store = TokenStore::at(&file);
        for text in [
            "",
            "{",
            "[]",
            r#"{"version":2}"#,
            r#"{"version":1,"tokens":[]}"#,
            r#"{"version":1,"tokens":{"k":{"refresh_token":"hush"}}}"#,
            r#"{"version":1,"tokens":{"k":"hush"}}"#,
        ] {
            std::fs::write(&file, text).unwrap();
            let error = store.get("k").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("tokens.json") && !shown.contains("hush"), "{text}: {shown}");
            assert!(error.hint().unwrap().ends_with("log in again"), "{text}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let error = store.get("k").unwrap_err().with_cause();
        assert!(error.contains("tokens.json: it is not a regular file"), "{error}");
    }
}
