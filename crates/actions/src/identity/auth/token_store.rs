//! Keeps the tokens of browser logins: `~/.config/brickwire/tokens.json`, readable by its owner only, in the format of
//! the vendor's CLI (version 1), each with the host it was given for. The only file that this crate writes, but for an
//! empty one beside it that is locked while a login is renewed.
//!
//! With the feature `keyring` a login goes into the operating system's keyring, and into the file where there is none.
//! The feature is off by default: on Linux a keyring is a D-Bus service whose client is some seventy crates, more than
//! half as many as all the others, and servers and containers have no such service.
#[cfg(feature = "keyring")]
mod keyring;

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::{Map, Value, json};

use brickwire_wire::time;

use crate::{Environment, Error, ErrorKind, Result, Secret};

/// What a login leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredToken {
    pub(crate) access_token: Secret,
    pub(crate) token_type: String,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expiry: Option<SystemTime>,
    /// The origin it may be sent to.
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

/// Where tokens are kept.
#[derive(Debug, Clone)]
pub(crate) struct TokenStore {
    file: PathBuf,
    /// A pretended environment never reaches the user's real keyring.
    #[cfg(feature = "keyring")]
    keyring: bool,
}

impl TokenStore {
    /// The user's.
    pub(crate) fn of(environment: &Environment) -> Result<Self> {
        let home = environment.home().ok_or_else(|| {
            Error::configuration("there is no home directory to keep a login in").with_hint("set HOME")
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

    /// The token under that key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<StoredToken>> {
        #[cfg(feature = "keyring")]
        if self.keyring
            && let keyring::Outcome::Done(found) = keyring::get(key)
        {
            return Ok(serde_json::from_str(found.expose()).ok().as_ref().and_then(StoredToken::read));
        }
        Ok(self.load()?.get(key).and_then(StoredToken::read))
    }

    /// Waits until no other process renews a login, and lets none until the file is dropped. `None` where files can't be
    /// locked. Whoever holds it reads the store again.
    pub(crate) fn lock(&self) -> Option<std::fs::File> {
        make_private_dir(self.file.parent()?).ok()?;
        let file = private().create(true).truncate(false).open(self.file.with_extension("lock")).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    /// Keeps a token, in the place of an older one.
    pub(crate) fn put(&self, key: &str, token: &StoredToken) -> Result<()> {
        #[cfg(feature = "keyring")]
        if self.keyring
            && let keyring::Outcome::Done(()) = keyring::put(key, &Secret::new(token.write().to_string()))
        {
            // One that was kept when there was no keyring.
            return self.remove_from_file(key).map(drop);
        }
        let mut tokens = self.load()?;
        tokens.insert(key.to_owned(), token.write());
        self.save(tokens)
    }

    /// Forgets a token; whether there was one.
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
        let text = match std::fs::read_to_string(&self.file) {
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
        let refuse = |why: String| {
            Err(Error::configuration(format!("cannot parse the stored logins: {why}: {shown}"))
                .with_hint("delete the file and log in again"))
        };
        let Ok(mut json) = serde_json::from_str::<Value>(&text) else { return refuse("not JSON".to_owned()) };
        let version = json["version"].as_u64().unwrap_or_default();
        if version != 1 {
            return refuse(format!("needs version 1, got version {version}"));
        }
        Ok(match json["tokens"].take() {
            Value::Object(tokens) => tokens,
            _ => Map::new(),
        })
    }

    /// A new file takes the old one's place, so that a reader never sees half of one.
    fn save(&self, tokens: Map<String, Value>) -> Result<()> {
        let text = json!({ "version": 1, "tokens": tokens }).to_string();
        self.replace(text.as_bytes()).map_err(|e| {
            Error::new(ErrorKind::Local, format!("the login can't be kept: {}", self.file.display()))
                .with_source(e)
        })
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        make_private_dir(dir)?;
        let new = dir.join(format!(".tokens-{}-{:016x}", std::process::id(), fastrand::u64(..)));
        let written = write_private(&new, bytes).and_then(|()| std::fs::rename(&new, &self.file));
        if written.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        written
    }
}

#[cfg(unix)]
fn make_private_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write;
    let mut file = private().create_new(true).open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// For files that only their owner may open.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_replaces_and_forgets_for_the_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let store = TokenStore::of(&Environment::default().with_home(home.path())).unwrap();
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
        assert!(TokenStore::of(&Environment::default()).is_err());
    }
}
