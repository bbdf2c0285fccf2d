//! Why a connection does or doesn't work: each step on the way by itself, in order, as data.
//!
//! A step that depends on a failed one is skipped, so the first fault is the cause. Nothing is changed, and no check
//! holds a secret: settings are shown as [`Setting::shown`](crate::Setting::shown) does, a proxy without its user.

mod certificate;
mod local;
mod network;
mod service;
mod tls;

use std::iter::successors;

use serde::{Serialize, Serializer};

use crate::{Environment, Error, ErrorKind};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works and may surprise.
    Warning,
    /// It doesn't work.
    Fault,
    /// Not done: what it depends on failed, or there is nothing to check.
    Skipped,
}

impl Outcome {
    /// Its name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
        }
    }
}

/// One step on the way to the workspace.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was checked, such as `dns`.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found; one line or several.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What sort of failure it is, for a fault.
    #[serde(serialize_with = "kind_as_text")]
    pub error_kind: Option<ErrorKind>,
}

fn kind_as_text<S: Serializer>(kind: &Option<ErrorKind>, serializer: S) -> Result<S::Ok, S::Error> {
    kind.map(ErrorKind::as_str).serialize(serializer)
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { name, outcome, detail: detail.into(), hint: None, error_kind: None }
    }

    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, detail)
    }

    fn warning(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warning, detail)
    }

    fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skipped, why)
    }

    fn fault(name: &'static str, error: &Error) -> Self {
        let text = error.to_string();
        let mut causes = successors(std::error::Error::source(error), |e| e.source());
        // A service's answer is told by the error itself, and so is what a failed connection comes from.
        let complete = error.status().is_some() || error.kind() == ErrorKind::Unreachable;
        let told = complete || causes.clone().any(|cause| text.contains(&cause.to_string()));
        let detail = match causes.next() {
            Some(cause) if !told => format!("{text}: {cause}"),
            _ => text,
        };
        Self { error_kind: Some(error.kind()), ..Self::new(name, Outcome::Fault, detail) }.with_hint_of(error)
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn with_hint_of(mut self, error: &Error) -> Self {
        self.hint = error.hint().map(str::to_owned);
        self
    }
}

/// Examines a connection step by step.
///
/// ```no_run
/// # async fn example() {
/// use brickwire_actions::{Doctor, Environment, Outcome};
/// let doctor = Doctor::new(&[("profile", "work")], &Environment::from_process());
/// let checks = doctor.examine(|check| println!("{}: {}", check.name, check.detail)).await;
/// assert!(checks.iter().all(|check| check.outcome != Outcome::Fault));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Doctor {
    explicit: Vec<(String, String)>,
    environment: Environment,
    product: Option<(String, String)>,
}

/// All checks, in order.
const NAMES: [&str; 11] = [
    "configuration",
    "permissions",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "clock",
    "token",
    "identity",
    "warehouse",
    "cluster",
];

impl Doctor {
    /// For the connection that [`Config::resolve`](crate::Config::resolve) makes of the same arguments.
    pub fn new(explicit: &[(&str, &str)], environment: &Environment) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { explicit: explicit.iter().map(own).collect(), environment: environment.clone(), product: None }
    }

    /// Names the program at the start of the user agent.
    pub fn with_product(mut self, name: &str, version: &str) -> Self {
        self.product = Some((name.to_owned(), version.to_owned()));
        self
    }

    /// Makes all checks, in order; `seen` is given each as soon as it is made. What fails is data and no error.
    pub async fn examine(&self, seen: impl FnMut(&Check)) -> Vec<Check> {
        let mut report = Report { checks: Vec::new(), seen };
        if let Err(why) = self.steps(&mut report).await {
            for name in &NAMES[report.checks.len()..] {
                report.add(Check::skipped(name, why));
            }
        }
        report.checks
    }

    /// Ends early with the reason for which the rest is skipped.
    async fn steps<F: FnMut(&Check)>(&self, report: &mut Report<F>) -> Result<(), &'static str> {
        let explicit: Vec<_> = self.explicit.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let permissions = local::permissions(&explicit, &self.environment);
        let found = local::configuration(&explicit, &self.environment);
        report.add(found.check);
        report.add(permissions);
        let config = found.config.ok_or("the configuration can't be read")?;
        let host = config.host().ok_or("there is no host")?;
        let authorities = config.authorities().map_err(|_| "the configuration has a fault")?;

        let (check, way) = network::way_to(host);
        report.add(check);
        let (check, addresses) = network::resolve(&way).await;
        report.add(check);
        let addresses = addresses.ok_or("DNS has a fault")?;
        if !report.add(network::connect(&way, &addresses).await) {
            return Err("TCP has a fault");
        }
        let (check, date) = tls::greet(host, &authorities).await;
        if !report.add(check) {
            return Err("TLS has a fault");
        }
        report.add(tls::clock(date));

        let connection = found.connection.ok_or("the configuration has a fault")?;
        let workspace = service::workspace(connection, self.product.as_ref());
        let Some(workspace) = workspace else { return Err("HTTP can't be set up") };
        if !report.add(service::token(&workspace, config.auth_type()).await) {
            return Err("there is no token");
        }
        if !report.add(service::identity(&workspace).await) {
            return Err("the identity has a fault");
        }
        report.add(service::warehouse(&workspace, config.setting("warehouse_id")).await);
        report.add(service::cluster(&workspace, config.setting("cluster_id")).await);
        Ok(())
    }
}

struct Report<F> {
    checks: Vec<Check>,
    seen: F,
}

impl<F: FnMut(&Check)> Report<F> {
    /// Whether the next one makes sense.
    fn add(&mut self, check: Check) -> bool {
        (self.seen)(&check);
        let goes_on = check.outcome != Outcome::Fault;
        self.checks.push(check);
        goes_on
    }
}

#[cfg(test)]
mod tests;
