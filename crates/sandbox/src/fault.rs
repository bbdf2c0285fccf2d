//! Faults: what goes wrong, for which request, how often. A rule reads `METHOD PATH: words`, see
//! [`FaultRule`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, header};
use axum::response::Response;

use crate::{clock::http_date, lock::lock};

mod edit;
pub(crate) mod effect;
pub(crate) mod gate;
pub(crate) mod kind;
mod parse;
mod pattern;
pub(crate) mod rule;
mod words;

use effect::Connection;
use gate::Gate;
use kind::{Effect, Paging, Swap};
use parse::When;
use rule::{FaultRule, ParseFaultError};

/// More rules at once are refused.
const MOST_RULES: usize = 1000;

struct Active {
    rule: FaultRule,
    /// The workspace whose requests it concerns; every workspace's when `None`.
    tenant: Option<String>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    matched: u64,
    played: u64,
}

/// The rules in force. The first that applies is used.
pub(crate) struct Faults {
    random: Mutex<fastrand::Rng>,
    active: Mutex<Vec<Arc<Active>>>,
}

impl Faults {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self { random: Mutex::new(random), active: Mutex::default() }
    }

    /// Puts a rule in force.
    ///
    /// # Errors
    /// There are too many.
    pub(crate) fn add(&self, rule: FaultRule, tenant: Option<String>) -> Result<(), ParseFaultError> {
        let mut active = lock(&self.active);
        if active.len() >= MOST_RULES {
            return Err(ParseFaultError::new(format!(
                "there are {MOST_RULES} rules, and no more are taken; remove some first"
            )));
        }
        active.push(Arc::new(Active { rule, tenant, counts: Mutex::default() }));
        Ok(())
    }

    /// Removes the rules of a tenant, or all.
    pub(crate) fn clear(&self, tenant: Option<&str>) {
        lock(&self.active).retain(|active| tenant.is_some() && active.tenant.as_deref() != tenant);
    }

    /// The rules as they were written, with how often each was used.
    pub(crate) fn list(&self) -> Vec<(String, u64)> {
        let active = lock(&self.active).clone();
        active.iter().map(|active| (active.rule.to_string(), lock(&active.counts).played)).collect()
    }

    pub(crate) fn choose(&self, method: &Method, path: &str, tenant: Option<&str>) -> Option<Fault> {
        // A copy: no path is compared with a rule while others wait.
        let rules = lock(&self.active).clone();
        for active in rules {
            if active.tenant.is_some() && active.tenant.as_deref() != tenant {
                continue;
            }
            if !active.rule.matches(method, path) {
                continue;
            }
            let When { skip, every, times, chance } = active.rule.when();
            let mut counts = lock(&active.counts);
            counts.matched += 1;
            let turn = counts.matched > skip && (counts.matched - skip).is_multiple_of(every);
            if turn && times.is_none_or(|times| counts.played < times) && lock(&self.random).f64() < chance {
                counts.played += 1;
                drop(counts);
                return Some(Fault(active));
            }
        }
        None
    }
}

/// A fault to inject now.
pub(crate) struct Fault(Arc<Active>);

impl Fault {
    pub(crate) fn rule(&self) -> &str {
        &self.0.rule.text
    }

    pub(crate) async fn delay(&self) {
        if let Some(delay) = self.0.rule.delay() {
            tokio::time::sleep(delay).await;
        }
    }

    /// How far to move the clock forward before a link is used.
    pub(crate) fn lateness(&self) -> Duration {
        if let Effect::Late(by) = self.0.rule.effect() { *by } else { Duration::ZERO }
    }

    /// What is wrong with the page of a list.
    pub(crate) fn paging(&self) -> Option<Paging> {
        if let Effect::Page(paging) = self.0.rule.effect() { Some(*paging) } else { None }
    }

    /// What a link leads to instead of its chunk.
    pub(crate) fn swap(&self) -> Option<Swap> {
        if let Effect::Swap(swap) = self.0.rule.effect() { Some(*swap) } else { None }
    }

    /// Whether the request never reaches its handler.
    pub(crate) fn replaces_handler(&self) -> bool {
        let replaces = match self.0.rule.effect() {
            Effect::Answer(_) | Effect::Login => true,
            _ => self.cuts_connection(),
        };
        replaces && !self.0.rule.runs_handler_first()
    }

    /// Whether the client gets no part of an answer.
    pub(crate) fn cuts_connection(&self) -> bool {
        let effect = self.0.rule.effect();
        matches!(effect, Effect::Reset(None) | Effect::Close | Effect::Hang | Effect::Refuse(_))
    }

    /// The answer as the fault makes it; `gate` is that of the listener it came through.
    pub(crate) async fn play(
        &self,
        response: Response,
        connection: Connection,
        gate: &Gate,
        now_ms: u64,
    ) -> Response {
        if let Effect::Refuse(time) = self.0.rule.effect() {
            gate.refuse(*time).await;
        }
        let mut response = effect::play(self.0.rule.effect(), response, connection, now_ms).await;
        let shown_ms = self.0.rule.skew().map_or(now_ms, |skew| skew.apply(now_ms));
        set_date(&mut response, shown_ms);
        response
    }
}

/// Gives an answer the date of the sandbox's clock; the HTTP server would give it the machine's.
pub(crate) fn set_date(response: &mut Response, now_ms: u64) {
    if let Ok(date) = http_date(now_ms).parse() {
        response.headers_mut().insert(header::DATE, date);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_most_number_of_rules() {
        let faults = Faults::new(fastrand::Rng::with_seed(1));
        let rule = || "GET *: 503".parse().unwrap();
        for _ in 0..MOST_RULES {
            faults.add(rule(), Some("a".to_owned())).unwrap();
        }
        let error = faults.add(rule(), None).unwrap_err().to_string();
        assert!(error.contains("1000 rules"), "{error}");
        faults.clear(Some("a"));
        faults.add(rule(), None).unwrap();
    }
}
