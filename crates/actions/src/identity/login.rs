//! Logging in with a browser: OAuth authorization code with PKCE (RFC 7636). The login is stored, and
//! [`BrowserSession`](super::auth::browser::BrowserSession) renews it.

use std::{ops::RangeInclusive, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use brickwire_wire::{RateLimit, Wire};
use reqwest::Url;
use ring::rand::SecureRandom;

use super::{
    auth::{
        browser::{CLIENT_ID, LoginTarget},
        callback::{Callback, answer_in},
        token_request::TokenRequest,
    },
    config::Config,
};
use crate::{Error, ErrorKind, Result, Secret};

/// The loopback ports that Databricks accepts in redirects of its public client.
const PORTS: RangeInclusive<u16> = 8020..=8040;

/// A browser login in progress: the browser opens [`address`](Self::address), and the login redirects it back to this
/// program.
///
/// ```no_run
/// # async fn example() -> brickwire_actions::Result<()> {
/// use brickwire_actions::{BrowserLogin, Config};
/// let config = Config::builder().host("x.cloud.databricks.com").resolve()?;
/// let login = BrowserLogin::start(&config).await?;
/// eprintln!("open {}", login.address());
/// login.wait(std::time::Duration::from_secs(300)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the login is stored only after `wait` or `finish`"]
pub struct BrowserLogin {
    target: LoginTarget,
    token_url: Url,
    callback: Callback,
    /// Where the browser begins.
    path: Secret,
    address: String,
    page: Url,
    state: Secret,
    verifier: Secret,
    http: Wire,
}

impl BrowserLogin {
    /// Finds the host's login page and listens for the browser's return. Nothing is stored yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] without a host or if the stored logins are damaged, and [`ErrorKind::Local`] if all
    /// ports for the redirect are in use.
    pub async fn start(config: &Config) -> Result<Self> {
        let target = config.login_target()?;
        // A store that can't be read can't be added to, which had better be known before the user logs in.
        target.stored()?;
        let http = config.login_connection()?.wire(None, RateLimit::default())?;
        let endpoints = target.issuer.endpoints(&http).await?;
        let callback = Callback::listen(PORTS).await?;
        let (path, state, verifier) = (random()?, random()?, random()?);
        let challenge = ring::digest::digest(&ring::digest::SHA256, verifier.expose().as_bytes());
        let mut scopes = target.scopes.clone();
        if !scopes.iter().any(|s| s == "offline_access") {
            scopes.push("offline_access".to_owned());
        }
        let (redirect, mut page) = (callback.redirect(), endpoints.authorization);
        let address = format!("{redirect}/{}", path.expose());
        page.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &redirect),
            ("scope", &scopes.join(" ")),
            ("state", state.expose()),
            ("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        let token_url = endpoints.token;
        Ok(Self { target, token_url, callback, path, address, page, state, verifier, http })
    }

    /// The loopback URL to open in a browser on this machine; it redirects to the login page. Its path can't be guessed,
    /// so that no other program begins or answers this login. As an argument of another program it is visible to other
    /// users: on Linux their connections are refused.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The login page itself, for a browser that reaches this machine's loopback only when it is redirected back.
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// Waits for the browser to come back, then stores the login.
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`] if the browser doesn't come back in time, [`ErrorKind::Unauthenticated`] if the
    /// login is refused, [`ErrorKind::Local`] if it can't be stored.
    pub async fn wait(&self, within: Duration) -> Result<()> {
        let code =
            tokio::time::timeout(within, self.callback.code(&self.path, &self.page, &self.state)).await;
        let code = code.map_err(|_| {
            Error::new(ErrorKind::DeadlineExceeded, format!("the login was not completed within {within:?}"))
                .with_hint(format!("open {} in a browser on this machine", self.address))
        })??;
        self.exchange(Secret::new(code)).await
    }

    /// Finishes the login with the address that the browser was sent to, for a browser on another machine, which can't
    /// load it. The address begins with `http://localhost` and contains the answer of the login page.
    ///
    /// ```no_run
    /// # async fn example() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::{BrowserLogin, Config};
    /// let login = BrowserLogin::start(&Config::builder().host("x.cloud.databricks.com").resolve()?).await?;
    /// eprintln!("open {} and paste the address that you are sent to", login.page());
    /// let mut address = String::new();
    /// std::io::stdin().read_line(&mut address).unwrap_or_default();
    /// login.finish(&address).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for text that isn't the whole address of this login: nothing is sent, and another address may
    /// be tried. Otherwise as for [`wait`](Self::wait).
    pub async fn finish(&self, address: &str) -> Result<()> {
        self.exchange(Secret::new(code_in(address, &self.state)?)).await
    }

    /// Exchanges the code for the tokens, and stores them.
    async fn exchange(&self, code: Secret) -> Result<()> {
        let redirect = self.callback.redirect();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", self.verifier.expose()),
            ("code", code.expose()),
        ];
        let secrets = [&code, &self.verifier];
        let answer = TokenRequest::new(&self.token_url, &form, &secrets).once().send(&self.http).await?;
        let _lock = self.target.lock().await;
        self.target.keep(answer)
    }
}

/// The code in a pasted address. Errors don't quote it: it may be a secret of something else.
fn code_in(address: &str, state: &Secret) -> Result<String> {
    let refuse = |why: &str| {
        Error::usage(format!("{why} ({} characters)", address.trim().chars().count())).with_hint(
            "paste the whole address from the browser's address bar, from http://localhost to its end",
        )
    };
    let text = address.trim().trim_matches(['"', '\'', '<', '>']);
    let text = if text.starts_with("localhost:") { format!("http://{text}") } else { text.to_owned() };
    let url = Url::parse(&text).map_err(|_| refuse("this is not an address"))?;
    let has = |part: &str| url.query_pairs().any(|(name, value)| name == part && !value.is_empty());
    if !has("state") || !has("code") && !has("error") {
        return Err(refuse("this address has no answer of a login page, or it was cut off"));
    }
    match answer_in(&url, state) {
        Some(Ok(code)) => Ok(code),
        Some(Err(error)) => Err(error),
        None => Err(refuse("this address is the answer to another login, or it was cut off")),
    }
}

impl Config {
    /// Deletes the stored browser login of this configuration, and returns whether there was one. The service is not
    /// notified; the tokens expire by themselves.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] without a host, [`ErrorKind::Local`] if the store can't be written.
    pub fn logout(&self) -> Result<bool> {
        let target = self.login_target()?;
        target.store.remove(&target.key())
    }

    /// Stores the browser login of this configuration's host under the name of a profile, instead of for the host alone.
    /// Returns whether there was one. A profile finds only the login under its own name.
    ///
    /// ```no_run
    /// # async fn example() -> brickwire_actions::Result<()> {
    /// use brickwire_actions::Config;
    /// Config::builder().host("x.cloud.databricks.com").resolve()?.move_login("work").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`logout`](Self::logout).
    pub async fn move_login(&self, profile: &str) -> Result<bool> {
        let of_host = LoginTarget { profile: None, ..self.login_target()? };
        let target = LoginTarget { profile: Some(profile.to_owned()), ..of_host.clone() };
        // A renewal in between would leave a refresh token that has been used.
        let _lock = target.lock().await;
        let Some(token) = of_host.stored()? else { return Ok(false) };
        target.store.put(&target.key(), &token)?;
        of_host.store.remove(&of_host.key())
    }
}

/// 256 random bits as text.
fn random() -> Result<Secret> {
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Local, "the system provides no random numbers"))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_address_is_checked_before_anything_is_sent() {
        let state = Secret::new("the-state");
        for whole in [
            "http://localhost:8020/?code=the-code&state=the-state",
            "  http://localhost:8020/?state=the-state&code=the-code#x \n",
            "\"http://127.0.0.1:8020/?code=the-code&state=the-state\"",
            "localhost:8020/?code=the-code&state=the-state",
        ] {
            assert_eq!(code_in(whole, &state).unwrap(), "the-code", "{whole}");
        }
        for (other, word) in [
            ("", "not an address"),
            ("the-code", "not an address"),
            ("http://localhost:8020/?code=the-code", "cut off"),
            ("http://localhost:8020/?code=the-code&state=the-sta", "another login"),
            ("http://localhost:8020/?code=the-code&state=guessed", "another login"),
            ("http://localhost:8020/?error=access_denied&state=guessed", "another login"),
            ("http://localhost:8020/?state=the-state&code=", "cut off"),
        ] {
            let error = code_in(other, &state).unwrap_err();
            assert!(error.to_string().contains(word), "{other}: {error}");
            assert!(!error.to_string().contains("the-code"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Usage, "{other}");
        }
        let refused =
            "http://localhost:8020/?error=access_denied&error_description=not+today&state=the-state";
        let error = code_in(refused, &state).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(error.to_string().contains("access_denied not today"), "{error}");
    }
}
