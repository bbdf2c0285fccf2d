//! A browser login that was stored earlier, renewed with its refresh token.
//!
//! Requests never open a browser; that is what [`BrowserLogin`](crate::BrowserLogin) is for. A stored login is used only
//! with the host that it was made for, even if its profile names another host now.

use std::{
    fs::File,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use brickwire_wire::{BoxFuture, Wire};

use super::{
    discovery::Issuer,
    token::{EARLY, Token, TokenSource},
    token_request::{TokenAnswer, TokenRequest, left},
    token_store::{StoredToken, TokenStore},
};
use crate::{Error, ErrorKind, Event, Result, Secret};

/// Databricks' public OAuth client for command lines, which every account has.
pub(crate) const CLIENT_ID: &str = "databricks-cli";
/// The longest time that a renewal takes: 15 s for each of two discovery pages, 30 s of attempts, and 15 s for the last
/// of them.
const RENEWAL: Duration = Duration::from_secs(75);

/// The host of a login, and where the login is stored.
#[derive(Debug, Clone)]
pub(crate) struct LoginTarget {
    pub(crate) issuer: Issuer,
    pub(crate) profile: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) store: TokenStore,
}

impl LoginTarget {
    /// The key in the store: the profile; or else the host, with the account for an account console.
    pub(crate) fn key(&self) -> String {
        let Issuer { host, account_id, .. } = &self.issuer;
        match (&self.profile, account_id) {
            (Some(profile), _) => profile.clone(),
            (None, Some(account)) if host.is_account_console() => format!("{host}/oidc/accounts/{account}"),
            (None, _) => host.to_string(),
        }
    }

    /// The stored login for this host, if there is one.
    pub(crate) fn stored(&self) -> Result<Option<StoredToken>> {
        Ok(self.store.get(&self.key())?.filter(|t| t.host.as_deref() == Some(self.issuer.host.as_str())))
    }

    /// Stores the tokens of an answer.
    pub(crate) fn keep(&self, answer: TokenAnswer) -> Result<()> {
        self.store.put(&self.key(), &self.token(answer, None))
    }

    /// The tokens of an answer; `older` is the refresh token to keep if the answer has none.
    fn token(&self, answer: TokenAnswer, older: Option<Secret>) -> StoredToken {
        StoredToken {
            access_token: answer.access_token,
            token_type: "Bearer".to_owned(),
            refresh_token: answer.refresh_token.or(older),
            expiry: answer.life.map(|life| SystemTime::now() + life),
            host: Some(self.issuer.host.to_string()),
        }
    }

    /// Locks the store against renewals until the result is dropped. After the time of a renewal it gives up: a process
    /// that was suspended may hold the lock for long.
    pub(crate) async fn lock(&self) -> Option<File> {
        let store = self.store.clone();
        let locked = tokio::task::spawn_blocking(move || store.lock());
        tokio::time::timeout(RENEWAL, locked).await.ok()?.ok()?
    }
}

/// A stored browser login as a source of tokens.
#[derive(Debug)]
pub(crate) struct BrowserSession {
    target: LoginTarget,
    /// The token that was returned last. If another one is asked for, this one has expired or was refused, whatever its
    /// expiry says.
    last: Mutex<Option<Secret>>,
    unstored: Mutex<Option<Unstored>>,
}

/// A renewed login that could not be stored, for example on a full disk. Its refresh token is the only one that is good
/// now, so it is used until the program ends.
#[derive(Debug, Clone)]
struct Unstored {
    token: StoredToken,
    /// The access token in the store, which is older. If there is another one, another process has renewed the login.
    instead_of: Secret,
}

impl BrowserSession {
    pub(crate) fn new(target: LoginTarget) -> Self {
        Self { target, last: Mutex::default(), unstored: Mutex::default() }
    }

    /// Returns the stored token or renews it.
    ///
    /// Other processes share the store. One may have renewed the token since, so the store is read each time. One may be
    /// renewing it now, with a refresh token that can be used only once, so renewals take a lock.
    async fn token(&self, http: &Wire) -> Result<StoredToken> {
        let is_valid = |t: &StoredToken| t.expiry.is_none_or(|e| left(e) > EARLY);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_usable = |t: &StoredToken| is_valid(t) && last.as_ref() != Some(&t.access_token);
        let stored = self.stored()?;
        if is_usable(&stored) {
            return Ok(stored);
        }
        let _lock = self.target.lock().await;
        let stored = self.stored()?;
        if is_usable(&stored) {
            return Ok(stored);
        }
        let Some(refresh) = &stored.refresh_token else {
            return Err(self.not_logged_in("the login has ended at"));
        };
        let url = self.target.issuer.endpoints(http).await?.token;
        let form =
            [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh.expose())];
        match TokenRequest::new(&url, &form, &[refresh]).send(http).await {
            Ok(answer) => Ok(self.keep(http, self.target.token(answer, Some(refresh.clone())))),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => match self.target.stored()? {
                // Where files can't be locked, another process may have been faster.
                Some(newer) if newer.access_token != stored.access_token && is_valid(&newer) => Ok(newer),
                _ => Err(self.not_logged_in("the login has ended at").with_source(error)),
            },
            Err(error) => Err(error),
        }
    }

    fn stored(&self) -> Result<StoredToken> {
        let stored = self.target.stored()?.ok_or_else(|| self.not_logged_in("not logged in to"))?;
        let unstored = self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        match &*unstored {
            Some(newer) if newer.instead_of == stored.access_token => Ok(newer.token.clone()),
            _ => Ok(stored),
        }
    }

    /// Stores a renewed login. It is good even if it can't be stored: the store stays as it is, and the user is warned.
    fn keep(&self, http: &Wire, token: StoredToken) -> StoredToken {
        let unstored = match self.target.store.put(&self.target.key(), &token) {
            Ok(()) => None,
            Err(error) => {
                let text = format!(
                    "the login was renewed but not stored ({}); log in again after this program has ended",
                    error.with_cause()
                );
                tracing::warn!(target: "brickwire", "{text}");
                http.events().emit(|| Event::Warning { text });
                let older = self.target.stored().ok().flatten();
                older.map(|older| Unstored { token: token.clone(), instead_of: older.access_token })
            }
        };
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = unstored;
        token
    }

    fn not_logged_in(&self, why: &str) -> Error {
        let host = &self.target.issuer.host;
        let hint = match &self.target.profile {
            Some(profile) => format!("log in with `BrowserLogin` for `profile = {profile}`"),
            None => format!("log in with `BrowserLogin` for `host = {host}`"),
        };
        Error::new(ErrorKind::Unauthenticated, format!("{why} {host}")).with_hint(hint)
    }
}

impl TokenSource for BrowserSession {
    fn auth_type(&self) -> &'static str {
        "external-browser"
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let stored = self.token(http).await?;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(stored.access_token.clone());
            Ok(Token::new(stored.access_token, stored.expiry.map(left)))
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{io::Write, os::fd::AsRawFd};

    use brickwire_testserver::{Response, Server};
    use brickwire_wire::HttpOptions;

    use super::*;
    use crate::Host;

    /// A read-only folder stands in for a full disk.
    #[tokio::test]
    async fn a_renewed_login_that_can_not_be_stored_is_used_and_renewed_again() {
        let server = Server::start(|request| match request.path() {
            "/oidc/v1/token" => {
                let old = request.text();
                let number = if old.contains("refresh-1") { 2 } else { 3 };
                Response::json(format!(
                    r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":1}}"#
                ))
            }
            _ => Response::new(404),
        });
        let host = Host::parse(&server.url()).unwrap();
        let text = format!(
            r#"{{"version":1,"tokens":{{"{host}":{{"access_token":"access-1","refresh_token":"refresh-1","host":"{host}",
                "expiry":"2000-01-01T00:00:00Z"}}}}}}"#
        );
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let folder = format!("/proc/self/fd/{}", file.as_file().as_raw_fd());
        let target = LoginTarget {
            issuer: Issuer { host: host.clone(), account_id: None, discovery_url: None },
            profile: None,
            scopes: Vec::new(),
            store: TokenStore::at(folder.as_ref()),
        };
        let wire = Wire::builder(HttpOptions::new(host)).build().unwrap();
        let session = BrowserSession::new(target);
        for access in ["access-2", "access-3"] {
            let token = session.fetch(&wire).await.unwrap();
            assert_eq!(token.authorization.token().expose(), access);
        }
        let requests = server.requests();
        let refreshed = requests.iter().filter(|request| request.path() == "/oidc/v1/token");
        let refreshed: Vec<_> = refreshed.map(|request| request.text().contains("refresh-1")).collect();
        assert_eq!(refreshed, [true, false], "a refresh token is used once");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text, "the store stays as it is");
        // Another process renews the login, and stores it.
        let newer = text.replace("access-1", "access-9").replace("2000", "2999");
        std::fs::write(file.path(), newer).unwrap();
        assert_eq!(session.fetch(&wire).await.unwrap().authorization.token().expose(), "access-9");
    }
}
