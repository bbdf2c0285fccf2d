//! Keeps one token and renews it: early, one refresh at a time, not bound to the caller that happened to ask.
//!
//! A token counts as expired 40 seconds before its end (or at a quarter of a short life). From half of its life, at
//! most 20 minutes before the end, the next one is fetched in the background while this one is still given out; a
//! background refresh that fails is tried again after a minute, and the token is used as long as it is good.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::time::Instant;

use brickwire_wire::Authorization;

use super::Token;
use crate::Result;

const EARLY: Duration = Duration::from_secs(40);
const AHEAD: Duration = Duration::from_secs(20 * 60);
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
    held: Option<Held>,
    refresh: Option<Refresh>,
    not_before: Option<Instant>,
}

#[derive(Clone)]
struct Held {
    authorization: Authorization,
    expires: Option<Instant>,
    /// From when the next one is fetched in the background, and from when this one is no longer given out.
    times: Option<(Instant, Instant)>,
}

impl Held {
    fn new(token: Token, now: Instant) -> Self {
        let times = token.life.map(|life| {
            let early = EARLY.min(life / 4);
            let ahead = AHEAD.min(life / 2).max(early);
            (now + (life - ahead), now + (life - early))
        });
        Self { authorization: token.authorization, expires: token.life.map(|life| now + life), times }
    }
}

impl TokenCache {
    pub(crate) fn new(
        source: impl Fn() -> BoxFuture<'static, Result<Token>> + Send + Sync + 'static,
    ) -> Self {
        Self { source: Arc::new(source), state: Arc::default() }
    }

    /// What is good now.
    pub(crate) async fn authorization(&self) -> Result<Authorization> {
        let refresh = {
            let mut state = self.lock();
            let now = Instant::now();
            match state.held.clone() {
                Some(Held { authorization, times: None, .. }) => return Ok(authorization),
                Some(Held { authorization, times: Some((renew, end)), .. }) if now < end => {
                    if now >= renew && state.not_before.is_none_or(|t| now >= t) {
                        drop(self.refresh(&mut state));
                    }
                    return Ok(authorization);
                }
                _ => self.refresh(&mut state),
            }
        };
        refresh.await
    }

    /// How long the token that is held is still good, if that is known.
    pub(crate) fn expires_in(&self) -> Option<Duration> {
        self.lock().held.as_ref()?.expires.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Never gives this one out again.
    pub(crate) fn discard(&self, refused: &Authorization) {
        let mut state = self.lock();
        if state.held.as_ref().is_some_and(|h| h.authorization == *refused) {
            state.held = None;
        }
    }

    /// Joins the refresh under way or begins one, as a task of its own: a caller that goes away doesn't end it.
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
                    state.held = Some(Held::new(token, now));
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

    /// A source that numbers its tokens and fails where told.
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
    async fn one_refresh_serves_all_who_wait() {
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
        assert_eq!(token(&cache).await.unwrap().expose(), "t1", "given out while the next is fetched");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t1", "the refresh failed: still good");
        assert_eq!(count.load(Ordering::SeqCst), 2, "and it isn't tried again at once");
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
    async fn a_caller_that_goes_away_does_not_end_the_refresh() {
        let (cache, count) = counting(3600, &[]);
        let gone = tokio::time::timeout(Duration::from_millis(10), token(&cache)).await;
        assert!(gone.is_err());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&cache).await.unwrap().expose(), "t1");
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
