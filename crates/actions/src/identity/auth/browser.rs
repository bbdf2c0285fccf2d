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
use crate::{Error, ErrorKind, Result, Secret};

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

    /// Stores the tokens of an answer; `older` is the refresh token to keep if the answer has none.
    pub(crate) fn keep(&self, answer: TokenAnswer, older: Option<Secret>) -> Result<StoredToken> {
        let token = StoredToken {
            access_token: answer.access_token,
            token_type: "Bearer".to_owned(),
            refresh_token: answer.refresh_token.or(older),
            expiry: answer.life.map(|life| SystemTime::now() + life),
            host: Some(self.issuer.host.to_string()),
        };
        self.store.put(&self.key(), &token)?;
        Ok(token)
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
}

impl BrowserSession {
    pub(crate) fn new(target: LoginTarget) -> Self {
        Self { target, last: Mutex::default() }
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
            Ok(answer) => self.target.keep(answer, Some(refresh.clone())),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => match self.target.stored()? {
                // Where files can't be locked, another process may have been faster.
                Some(newer) if newer.access_token != stored.access_token && is_valid(&newer) => Ok(newer),
                _ => Err(self.not_logged_in("the login has ended at").with_source(error)),
            },
            Err(error) => Err(error),
        }
    }

    fn stored(&self) -> Result<StoredToken> {
        self.target.stored()?.ok_or_else(|| self.not_logged_in("not logged in to"))
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
