//! `brick sandbox --stop`: asks sandboxes in the background to stop, and waits until they have ended.
//!
//! A shell's `DATABRICKS_HOST` names its own sandbox, and other terminals have others. So a host that names no sandbox stops
//! none; all of them stop only if there is no host, or with `--all`.

use std::{env, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{
    environment::{self, Changes},
    registry::{self, Entry, Record},
    shell::Shell,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// How long sandboxes may take to save their workspaces and end.
const END: Duration = Duration::from_secs(20);

/// Stops the sandbox that DATABRICKS_HOST names, or all.
pub(super) async fn stop(all: bool, shell: Shell, context: &Context) -> Result {
    let host = env::var_os("DATABRICKS_HOST").map(|host| host.to_string_lossy().into_owned());
    let host = host.filter(|host| !host.is_empty());
    let running = registry::running(&registry::folder()?)?;
    let found = running.len();
    let is_named = |record: &Record| host.as_deref().is_some_and(|host| is_at(record, host));
    let names_one = running.iter().any(|(_, record)| is_named(record));
    let chosen: Vec<_> =
        running.into_iter().filter(|(_, record)| all || host.is_none() || is_named(record)).collect();
    if chosen.is_empty() {
        context.note(&match host.as_deref().filter(|_| !all) {
            Some(host) => match port(host) {
                Some(port) => format!("no sandbox runs in the background at 127.0.0.1:{port}"),
                None => "DATABRICKS_HOST names no sandbox of this machine".to_owned(),
            },
            None => "no sandbox runs in the background".to_owned(),
        });
        if found > 0 {
            context.note(&format!("{found} at other addresses: `brick sandbox --stop --all` stops all"));
        }
    }
    end(&chosen, END, |url| context.note(&format!("stopped {url}"))).await?;
    if names_one || host.is_some_and(|host| host.starts_with("http://127.0.0.1:")) {
        let changes: Changes = environment::SET.into_iter().map(|name| (name, None)).collect();
        context.output().bytes(shell.lines(&changes).as_bytes())?;
    }
    Ok(())
}

/// Asks all to stop, waits for each, and fails if one hasn't ended in time.
async fn end(running: &[(Entry, Record)], limit: Duration, stopped: impl Fn(&str)) -> Result {
    let asked: Vec<_> = running.iter().map(|(entry, _)| entry.request_stop()).collect();
    let deadline = Instant::now() + limit;
    let mut failures = Vec::new();
    for ((entry, Record { url, pid }), asked) in running.iter().zip(asked) {
        if let Err(error) = asked {
            failures.push(format!("cannot ask the sandbox at {url} (process {pid}) to stop: {error}"));
        } else if timeout_at(deadline, entry.ended()).await.is_err() {
            let seconds = limit.as_secs();
            failures.push(format!("the sandbox at {url} (process {pid}) has not ended after {seconds} s"));
        } else {
            // It has deleted its files, unless it was killed. The request may be newer.
            entry.forget();
            stopped(url);
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::local(failures.join("; ")).with_hint("try again, or end the process"))
}

fn is_at(record: &Record, host: &str) -> bool {
    port(host).is_some_and(|named| port(&record.url) == Some(named))
}

/// The port of a host on this machine, with plain HTTP.
fn port(host: &str) -> Option<u16> {
    let address = host.strip_prefix("http://").unwrap_or(host);
    let (name, port) = address.trim_end_matches('/').rsplit_once(':')?;
    if matches!(name, "127.0.0.1" | "localhost" | "[::1]") { port.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn record(port: u16) -> Record {
        Record { url: format!("http://127.0.0.1:{port}"), pid: 7 }
    }

    #[test]
    fn a_host_names_a_sandbox_by_its_port_on_this_machine() {
        for host in ["http://127.0.0.1:81", "http://localhost:81/", "localhost:81", "http://[::1]:81"] {
            assert!(is_at(&record(81), host) && !is_at(&record(82), host), "{host}");
        }
        for host in
            ["https://localhost:81", "http://example.com:81", "http://127.0.0.1", "http://localhost:x", ""]
        {
            assert!(!is_at(&record(81), host), "{host}");
        }
    }

    #[tokio::test]
    async fn one_that_does_not_end_fails_after_the_others_have_stopped_and_stays_known() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [1, 2].map(|port| {
            let (entry, _) = registry::new_entry(folder.path()).unwrap();
            let registered = entry.register(&record(port)).unwrap();
            (registered, (entry, record(port)))
        });
        let [(stuck, first), (ends, second)] = entries;
        drop(ends);
        let stopped = RefCell::new(Vec::new());
        let ended =
            end(&[first, second], Duration::ZERO, |url| stopped.borrow_mut().push(url.to_owned())).await;
        let message = ended.unwrap_err().message();
        assert_eq!(message, "the sandbox at http://127.0.0.1:1 (process 7) has not ended after 0 s");
        assert_eq!(*stopped.borrow(), ["http://127.0.0.1:2"]);
        let left = registry::running(folder.path()).unwrap();
        assert_eq!(
            left.iter().map(|(_, record)| record.url.as_str()).collect::<Vec<_>>(),
            ["http://127.0.0.1:1"]
        );
        drop(stuck);
    }
}
