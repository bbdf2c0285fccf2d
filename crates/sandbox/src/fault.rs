//! Faults: what goes wrong, for which request, how often. A rule reads `METHOD PATH: words`, see
//! [`FaultRule`].

use std::sync::Mutex;
use std::time::Duration;

use axum::http::Method;
use axum::response::Response;

use crate::lock::lock;

pub(crate) mod effect;
pub(crate) mod rule;

use effect::Connection;
use rule::{Effect, FaultRule, When};

struct Active {
    rule: FaultRule,
    /// The workspace whose requests it concerns; every workspace's when `None`.
    tenant: Option<String>,
    matched: u64,
    played: u64,
}

/// The rules in force. The first that applies is used.
pub(crate) struct Faults(Mutex<(fastrand::Rng, Vec<Active>)>);

impl Faults {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self(Mutex::new((random, Vec::new())))
    }

    pub(crate) fn add(&self, rule: FaultRule, tenant: Option<String>) {
        lock(&self.0).1.push(Active { rule, tenant, matched: 0, played: 0 });
    }

    /// Removes the rules of a tenant, or all.
    pub(crate) fn clear(&self, tenant: Option<&str>) {
        lock(&self.0).1.retain(|active| tenant.is_some() && active.tenant.as_deref() != tenant);
    }

    /// The rules as they were written, with how often each was used.
    pub(crate) fn list(&self) -> Vec<(String, u64)> {
        lock(&self.0).1.iter().map(|active| (active.rule.to_string(), active.played)).collect()
    }

    pub(crate) fn choose(&self, method: &Method, path: &str, tenant: Option<&str>) -> Option<Fault> {
        let (random, rules) = &mut *lock(&self.0);
        for active in rules {
            if active.tenant.is_some() && active.tenant.as_deref() != tenant {
                continue;
            }
            if !active.rule.matches(method, path) {
                continue;
            }
            active.matched += 1;
            let When { skip, every, times, chance } = active.rule.when;
            let turn = active.matched > skip && (active.matched - skip).is_multiple_of(every);
            if turn && times.is_none_or(|times| active.played < times) && random.f64() < chance {
                active.played += 1;
                return Some(Fault(active.rule.clone()));
            }
        }
        None
    }
}

/// A fault to inject now.
pub(crate) struct Fault(FaultRule);

impl Fault {
    pub(crate) fn rule(&self) -> &str {
        &self.0.text
    }

    pub(crate) async fn delay(&self) {
        if let Effect::Delay(delay) = self.0.effect {
            tokio::time::sleep(delay).await;
        }
    }

    /// How far to move the clock forward before a link is used.
    pub(crate) fn lateness(&self) -> Duration {
        if let Effect::Late(by) = self.0.effect { by } else { Duration::ZERO }
    }

    /// Whether the request never reaches its handler.
    pub(crate) fn replaces_handler(&self) -> bool {
        !self.0.after
            && matches!(
                self.0.effect,
                Effect::Answer { .. } | Effect::Login | Effect::Reset | Effect::Close | Effect::Hang
            )
    }

    /// Whether the client gets no complete answer.
    pub(crate) fn cuts_connection(&self) -> bool {
        matches!(self.0.effect, Effect::Reset | Effect::Close | Effect::Hang)
    }

    pub(crate) async fn play(&self, response: Response, connection: Connection, now_ms: u64) -> Response {
        effect::play(&self.0.effect, response, connection, now_ms).await
    }
}
