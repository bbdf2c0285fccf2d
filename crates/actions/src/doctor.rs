//! Finds out why a connection works or doesn't, step by step, as data.
//!
//! If a check fails, those that depend on it are skipped, so the first fault is the cause. Nothing is changed. No check
//! contains a secret: settings are shown as in [`Setting::shown`](crate::Setting::shown), and a proxy without its user.

mod certificate;
mod check;
mod local;
mod network;
mod service;
#[cfg(test)]
mod tests;
mod tls;

use crate::ConfigBuilder;

pub use self::check::{Check, Outcome};

/// Examines a connection step by step.
///
/// ```no_run
/// # async fn example() {
/// use brickwire_actions::{Config, Doctor, Outcome};
/// let doctor = Doctor::new(Config::builder().profile("work"));
/// let checks = doctor.examine(|check| println!("{}: {}", check.name, check.detail)).await;
/// assert!(checks.iter().all(|check| check.outcome != Outcome::Fault));
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Doctor {
    settings: ConfigBuilder,
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
    /// Examines the connection that these settings result in.
    pub fn new(settings: ConfigBuilder) -> Self {
        Self { settings, product: None }
    }

    /// Puts the name and version of the program at the start of the user agent.
    pub fn with_product(mut self, name: &str, version: &str) -> Self {
        self.product = Some((name.to_owned(), version.to_owned()));
        self
    }

    /// Runs all checks, in order, and passes each to `seen` as soon as it is done. A failure is a check and not an error.
    pub async fn examine(&self, seen: impl FnMut(&Check)) -> Vec<Check> {
        let mut report = Report { checks: Vec::new(), seen };
        if let Err(why) = self.steps(&mut report).await {
            for name in &NAMES[report.checks.len()..] {
                report.add(Check::skipped(name, why));
            }
        }
        report.checks
    }

    /// Returns early with the reason why the other checks are skipped.
    async fn steps<F: FnMut(&Check)>(&self, report: &mut Report<F>) -> Result<(), &'static str> {
        let found = local::configuration(&self.settings);
        report.add(found.check);
        report.add(local::permissions(&self.settings));
        let config = found.config.ok_or("the configuration can't be read")?;
        let host = config.host().ok_or("there is no host")?;
        let authorities = config.authorities().map_err(|_| "the configuration has a fault")?;

        let (check, route) = network::route_to(host);
        report.add(check);
        let (check, addresses) = network::resolve(&route).await;
        report.add(check);
        let addresses = addresses.ok_or("DNS has a fault")?;
        if !report.add(network::connect(&route, &addresses).await) {
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
    /// Adds a check, and returns whether it passed.
    fn add(&mut self, check: Check) -> bool {
        (self.seen)(&check);
        let passed = check.outcome != Outcome::Fault;
        self.checks.push(check);
        passed
    }
}
