//! Caches one token and renews it before it expires.
//!
//! A token is no longer used 40 seconds before it expires, or a quarter of its life before, whichever is later. When
//! half of its life is left, but at most 20 minutes, the next token is fetched in the background while this one is still
//! used. A background refresh that fails is repeated after a minute.
//!
//! There is one refresh at a time, which all callers share. It runs as a task of its own, so it goes on if the caller
//! that started it is dropped.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use brickwire_wire::Authorization;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::time::Instant;

use super::token::{EARLY, Token};
use crate::Result;

/// The background refresh starts this long before the token expires, at the earliest.
const AHEAD: Duration = Duration::from_secs(20 * 60);
/// The pause after a background refresh that failed.
const AFTER_A_FAILURE: Duration = Duration::from_secs(60);

type Source = dyn Fn() -> BoxFuture<'static, Result<Token>> + Send + Sync;
type Refresh = Shared<BoxFuture<'static, Result<Authorization>>>;

#[derive(Clone)]
pub(crate) struct TokenCache {
    source: Arc<Source>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cached: Option<Cached>,
    refresh: Option<Refresh>,
    /// No background refresh starts before this.
    not_before: Option<Instant>,
}

struct Cached {
    authorization: Authorization,
    /// `None` if the token has no known end.
    times: Option<Times>,
}

struct Times {
    /// From here on the next token is fetched in the background.
    renew_at: Instant,
    /// From here on this token is no longer used.
    unusable_at: Instant,
    expires_at: Instant,
}

impl Cached {
    fn new(token: Token, now: Instant) -> Self {
        let times = token.life.map(|life| {
            let early = EARLY.min(life / 4);
            let ahead = AHEAD.min(life / 2).max(early);
            Times {
                renew_at: now + (life - ahead),
                unusable_at: now + (life - early),
                expires_at: now + life,
            }
        });
        Self { authorization: token.authorization, times }
    }
}

impl TokenCache {
    pub(crate) fn new(
        source: impl Fn() -> BoxFuture<'static, Result<Token>> + Send + Sync + 'static,
    ) -> Self {
        Self { source: Arc::new(source), state: Arc::default() }
    }

    /// The cached token, or a new one if there is none that can be used.
    pub(crate) async fn authorization(&self) -> Result<Authorization> {
        let refresh = {
            let mut state = self.lock();
            let now = Instant::now();
            let usable =
                state.cached.as_ref().filter(|c| c.times.as_ref().is_none_or(|t| now < t.unusable_at));
            match usable {
                Some(Cached { authorization, times }) => {
                    let authorization = authorization.clone();
                    let is_due = times.as_ref().is_some_and(|times| now >= times.renew_at);
                    if is_due && state.not_before.is_none_or(|t| now >= t) {
                        drop(self.refresh(&mut state));
                    }
                    return Ok(authorization);
                }
                None => self.refresh(&mut state),
            }
        };
        refresh.await
    }

    /// The time until the cached token expires, if that is known.
    pub(crate) fn expires_in(&self) -> Option<Duration> {
        let expires_at = self.lock().cached.as_ref()?.times.as_ref()?.expires_at;
        Some(expires_at.saturating_duration_since(Instant::now()))
    }

    /// Drops the cached token if it is this one, because the service refused it.
    pub(crate) fn discard(&self, refused: &Authorization) {
        self.lock().cached.take_if(|cached| cached.authorization == *refused);
    }

    /// Joins the current refresh or starts one.
    fn refresh(&self, state: &mut State) -> Refresh {
        if let Some(refresh) = &state.refresh {
            return refresh.clone();
        }
        let (cache, fetch) = (self.clone(), (self.source)());
        let refresh = async move {
            let outcome = fetch.await;
            let now = Instant::now();
            let mut state = cache.lock();
            state.refresh = None;
            match outcome {
                Ok(token) => {
                    let authorization = token.authorization.clone();
                    state.cached = Some(Cached::new(token, now));
                    state.not_before = None;
                    Ok(authorization)
                }
                Err(error) => {
                    state.not_before = Some(now + AFTER_A_FAILURE);
                    Err(error)
                }
            }
        }
        .boxed()
        .shared();
        state.refresh = Some(refresh.clone());
        tokio::spawn(refresh.clone());
        refresh
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Secret};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A source that numbers its tokens and fails for those in `fail`.
    fn counting(life: u64, fail: &'static [u32]) -> (TokenCache, Arc<AtomicU32>) {
        let count = Arc::new(AtomicU32::new(0));
        let seen = count.clone();
        let cache = TokenCache::new(move || {
            let n = seen.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if fail.contains(&n) {
                    return Err(Error::configuration("refused"));
                }
                Ok(Token::new(format!("t{n}"), Some(Duration::from_secs(life))))
            }
            .boxed()
        });
        (cache, count)
    }

    async fn token(cache: &TokenCache) -> Result<Secret> {
        Ok(cache.authorization().await?.token().clone())
    }

    async fn after(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn all_callers_share_one_refresh() {
        let (cache, count) = counting(3600, &[]);
        let all = futures_util::future::join_all((0..50).map(|_| token(&cache))).await;
        assert!(all.iter().all(|t| t.as_ref().unwrap().expose() == "t1"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn renews_in_the_background_and_survives_a_failure() {
        let (cache, count) = counting(3600, &[2]);
        assert_eq!(token(&cache).await.unwrap().expose(), "t1");
        after(2500).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t1", "used while the next is fetched");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t1", "the refresh failed: still usable");
        assert_eq!(count.load(Ordering::SeqCst), 2, "and it isn't repeated at once");
        after(61).await;
        token(&cache).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t3");
    }

    #[tokio::test(start_paused = true)]
    async fn expires_early_and_a_discarded_token_is_gone() {
        let (cache, _) = counting(100, &[]);
        assert_eq!(token(&cache).await.unwrap().expose(), "t1");
        after(76).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t2", "a quarter of a short life before its end");
        cache.discard(&Authorization::bearer(Secret::new("t1")));
        assert_eq!(token(&cache).await.unwrap().expose(), "t2", "an older one was refused, not this");
        cache.discard(&Authorization::bearer(Secret::new("t2")));
        assert_eq!(token(&cache).await.unwrap().expose(), "t3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_caller_does_not_end_the_refresh() {
        let (cache, count) = counting(3600, &[]);
        let gone = tokio::time::timeout(Duration::from_millis(10), token(&cache)).await;
        assert!(gone.is_err());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t1");
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
