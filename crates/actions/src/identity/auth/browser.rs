//! A person's login in the browser: authorization code with PKCE (RFC 7636), kept and renewed with a refresh token.
//!
//! The login is a step of its own ([`BrowserLogin`]); a request never opens a browser. A stored login is used only with
//! the host that it was made for, even if the profile has another one since.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use brickwire_wire::{BoxFuture, Wire};
use reqwest::Url;
use ring::rand::SecureRandom;

use super::{
    Issuer, Token, TokenSource,
    callback::Callback,
    discovery::Endpoints,
    token_request::{TokenAnswer, TokenRequest, left},
    token_store::{StoredToken, TokenStore},
};
use crate::{Config, Error, ErrorKind, Result, Secret};

/// Databricks' public client for command lines, which every account knows.
const CLIENT_ID: &str = "databricks-cli";
/// The addresses that Databricks sends a browser back to for that client.
const PORTS: RangeInclusive<u16> = 8020..=8040;
/// A stored token that ends sooner is renewed.
const EARLY: Duration = Duration::from_secs(40);
/// No renewal takes longer: 15 s for each page that leads to it, 30 s of attempts and 15 s for the last of them.
const RENEWAL: Duration = Duration::from_secs(75);

/// Where a login belongs: the host, and the name under which it is kept.
#[derive(Debug, Clone)]
pub(crate) struct LoginTarget {
    pub(crate) issuer: Issuer,
    pub(crate) profile: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) store: TokenStore,
}

impl LoginTarget {
    /// The profile, else the host, else the host and the account.
    pub(crate) fn key(&self) -> String {
        let Issuer { host, account_id } = &self.issuer;
        match (&self.profile, account_id) {
            (Some(profile), _) => profile.clone(),
            (None, Some(account)) if host.is_account_console() => format!("{host}/oidc/accounts/{account}"),
            (None, _) => host.to_string(),
        }
    }

    /// The login that is kept for this host, if there is one.
    pub(crate) fn stored(&self) -> Result<Option<StoredToken>> {
        Ok(self.store.get(&self.key())?.filter(|t| t.host.as_deref() == Some(self.issuer.host.as_str())))
    }

    fn keep(&self, answer: TokenAnswer, older: Option<Secret>) -> Result<StoredToken> {
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
}

/// A login that was made in the browser.
#[derive(Debug)]
pub(crate) struct BrowserSession {
    target: LoginTarget,
    /// The one given last. Asked again, it has ended or was refused, whatever its expiry says.
    given: Mutex<Option<Secret>>,
}

impl BrowserSession {
    pub(crate) fn new(target: LoginTarget) -> Self {
        Self { target, given: Mutex::default() }
    }

    /// Another process may have renewed it meanwhile, so the store is read each time; and it may be about to, with a
    /// refresh token that is good once, so that is done by one at a time.
    async fn token(&self, http: &Wire) -> Result<StoredToken> {
        let good = |t: &StoredToken| t.expiry.is_none_or(|e| left(e) > EARLY);
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let serves = |t: &StoredToken| good(t) && given.as_ref() != Some(&t.access_token);
        let stored = self.stored()?;
        if serves(&stored) {
            return Ok(stored);
        }
        let _alone = alone(&self.target.store).await;
        let stored = self.stored()?;
        if serves(&stored) {
            return Ok(stored);
        }
        let Some(refresh) = &stored.refresh_token else {
            return Err(self.not_logged_in("the login has ended at"));
        };
        let url = self.target.issuer.endpoints(http).await?.token;
        let form =
            [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", refresh.expose())];
        let request = TokenRequest { url: &url, form: &form, basic: None, secrets: &[refresh], once: false };
        match request.send(http).await {
            Ok(answer) => self.target.keep(answer, Some(refresh.clone())),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => match self.target.stored()? {
                // Another process was faster all the same, where files can't be locked.
                Some(newer) if newer.access_token != stored.access_token && good(&newer) => Ok(newer),
                _ => Err(self.not_logged_in("the login has ended at").with_source(error)),
            },
            Err(error) => Err(error),
        }
    }

    fn stored(&self) -> Result<StoredToken> {
        self.target.stored()?.ok_or_else(|| self.not_logged_in("not logged in to"))
    }

    fn not_logged_in(&self, why: &str) -> Error {
        let command = match &self.target.profile {
            Some(profile) => format!("brick auth login --profile {profile}"),
            None => format!("brick auth login --host {}", self.target.issuer.host),
        };
        Error::new(ErrorKind::Unauthenticated, format!("{why} {}", self.target.issuer.host))
            .with_hint(format!("run `{command}`"))
    }
}

impl TokenSource for BrowserSession {
    fn auth_type(&self) -> &'static str {
        "external-browser"
    }

    fn fetch<'a>(&'a self, http: &'a Wire) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            let stored = self.token(http).await?;
            *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(stored.access_token.clone());
            Ok(Token::new(stored.access_token, stored.expiry.map(left)))
        })
    }
}

/// A login under way: the browser is sent to [`address`](Self::address) and comes back to this program.
///
/// ```no_run
/// # async fn example() -> brickwire_actions::Result<()> {
/// use brickwire_actions::{BrowserLogin, Config, Environment};
/// let config = Config::resolve(&[("host", "x.cloud.databricks.com")], &Environment::from_process())?;
/// let login = BrowserLogin::start(&config).await?;
/// eprintln!("open {}", login.address());
/// login.wait(std::time::Duration::from_secs(300)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct BrowserLogin {
    target: LoginTarget,
    endpoints: Endpoints,
    callback: Callback,
    address: String,
    login: Url,
    state: Secret,
    verifier: Secret,
    http: Wire,
}

impl BrowserLogin {
    /// Finds the host's login page and listens for the browser's return. Nothing is kept yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] without a host, and [`ErrorKind::Local`] if the ports for the answer are all taken.
    pub async fn start(config: &Config) -> Result<Self> {
        let target = config.login_target()?;
        Self::over(target, config.login_connection()?.wire(None)?, PORTS).await
    }

    pub(super) async fn over(target: LoginTarget, http: Wire, ports: RangeInclusive<u16>) -> Result<Self> {
        let endpoints = target.issuer.endpoints(&http).await?;
        let callback = Callback::listen(ports).await?;
        let (state, verifier) = (random()?, random()?);
        let challenge = ring::digest::digest(&ring::digest::SHA256, verifier.expose().as_bytes());
        let mut scopes = target.scopes.clone();
        if !scopes.iter().any(|s| s == "offline_access") {
            scopes.push("offline_access".to_owned());
        }
        let mut login = endpoints.authorization.clone();
        login.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &callback.address()),
            ("scope", &scopes.join(" ")),
            ("state", state.expose()),
            ("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        let address = callback.address();
        Ok(Self { target, endpoints, callback, address, login, state, verifier, http })
    }

    /// What to open in a browser on this machine: a loopback address that leads on to the login page. Nothing in it is
    /// secret, so it may be an argument of a program.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The login page itself, for a browser that can reach this machine's loopback but not follow from there.
    pub fn page(&self) -> &Url {
        &self.login
    }

    /// Waits for the browser to come back, then keeps the login.
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`] if it doesn't come back, [`ErrorKind::Unauthenticated`] if the login is refused,
    /// [`ErrorKind::Local`] if it can't be kept.
    pub async fn wait(self, within: Duration) -> Result<()> {
        let code = tokio::time::timeout(within, self.callback.code(&self.login, self.state.expose())).await;
        let code = code.map_err(|_| {
            Error::new(ErrorKind::DeadlineExceeded, format!("nobody logged in within {within:?}"))
                .with_hint(format!("open {} in a browser on this machine", self.address))
        })??;
        let code = Secret::new(code);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", self.address.as_str()),
            ("code_verifier", self.verifier.expose()),
            ("code", code.expose()),
        ];
        let url = &self.endpoints.token;
        // A code is good once: sent a second time it would be refused, so this is not retried.
        let secrets = [&code, &self.verifier];
        let answer = TokenRequest { url, form: &form, basic: None, secrets: &secrets, once: true }
            .send(&self.http)
            .await?;
        let _alone = alone(&self.target.store).await;
        self.target.keep(answer, None).map(drop)
    }
}

impl Config {
    /// Forgets the browser login of this configuration; whether there was one. The service isn't told: its tokens end
    /// by themselves.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] without a host, [`ErrorKind::Local`] if the store can't be written.
    pub fn logout(&self) -> Result<bool> {
        let target = self.login_target()?;
        target.store.remove(&target.key())
    }
}

/// Keeps others from renewing a login until what it returns is dropped. One that was stopped in the middle of it is not
/// waited for any longer than it takes.
async fn alone(store: &TokenStore) -> Option<std::fs::File> {
    let store = store.clone();
    let locked = tokio::task::spawn_blocking(move || store.lock());
    tokio::time::timeout(RENEWAL, locked).await.ok()?.ok()?
}

/// 256 random bits as text.
fn random() -> Result<Secret> {
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Local, "the system gives no random numbers"))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}
