use std::{
    net::TcpListener,
    time::{Duration, SystemTime},
};

use super::{
    Doctor, NAMES, Outcome,
    tls::{Times, clock},
};
use crate::{Environment, ErrorKind};

const PLANTED: &str = "dapi-planted-secret";

async fn outcomes(explicit: &[(&str, &str)], environment: &Environment) -> Vec<(String, Outcome, String)> {
    let mut seen = Vec::new();
    let checks = Doctor::new(explicit, environment).examine(|check| seen.push(check.name)).await;
    assert_eq!(seen, NAMES, "each check is told once, in order");
    let all = serde_json::to_string(&checks).unwrap() + &format!("{checks:?}");
    assert!(!all.contains(PLANTED), "{all}");
    checks.into_iter().map(|c| (c.name.to_owned(), c.outcome, c.detail)).collect()
}

fn faults(found: &[(String, Outcome, String)]) -> Vec<&str> {
    found.iter().filter(|(_, o, _)| *o == Outcome::Fault).map(|(name, ..)| name.as_str()).collect()
}

#[tokio::test]
async fn without_a_host_nothing_is_sent() {
    let found = outcomes(&[], &Environment::new([("DATABRICKS_TOKEN", PLANTED)])).await;
    assert_eq!(faults(&found), ["configuration"]);
    assert!(
        found[2..].iter().all(|(_, o, why)| *o == Outcome::Skipped && why == "there is no host"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_contradicts_itself_is_shown_with_all_sources() {
    let environment = Environment::new([
        ("DATABRICKS_HOST", "http://127.0.0.1:1"),
        ("DATABRICKS_TOKEN", PLANTED),
        ("DATABRICKS_CLIENT_ID", "robot"),
        ("DATABRICKS_CLIENT_SECRET", PLANTED),
    ]);
    let found = outcomes(&[], &environment).await;
    let (_, outcome, detail) = &found[0];
    assert_eq!(*outcome, Outcome::Fault);
    for line in [
        "more than one authorization method",
        "\ntoken = *** (environment DATABRICKS_TOKEN)",
        "\nclient_id = robot",
    ] {
        assert!(detail.contains(line), "{line}: {detail}");
    }
}

#[tokio::test]
async fn a_dead_port_is_a_fault_of_tcp_and_skips_the_rest() {
    // Free again as soon as it is known.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("http://127.0.0.1:{port}");
    let environment = Environment::new([("DATABRICKS_TOKEN", PLANTED)]);
    let checks = Doctor::new(&[("host", &host)], &environment).examine(|_| ()).await;
    let tcp = checks.iter().find(|c| c.outcome == Outcome::Fault).unwrap();
    assert_eq!((tcp.name, tcp.error_kind), ("tcp", Some(ErrorKind::Unreachable)));
    assert!(tcp.detail.contains("refused") && tcp.hint.is_some(), "{tcp:?}");
    assert!(checks.iter().skip_while(|c| c.name != "tls").all(|c| c.outcome == Outcome::Skipped));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".databrickscfg");
    std::fs::write(&file, format!("[DEFAULT]\ntoken = {PLANTED}\n")).unwrap();
    let environment = Environment::new([("", ""); 0]).with_home(home.path());
    for (mode, wanted) in [(0o644, Outcome::Warning), (0o600, Outcome::Ok)] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let found = outcomes(&[], &environment).await;
        assert_eq!((found[1].0.as_str(), found[1].1), ("permissions", wanted), "{mode:o}: {found:?}");
    }
}

#[test]
fn a_clock_that_is_wrong_is_a_warning() {
    let here = SystemTime::now();
    let minutes = Duration::from_secs(300);
    assert_eq!(clock(Some(Times { there: here, here })).outcome, Outcome::Ok);
    let behind = clock(Some(Times { there: here + minutes, here }));
    assert_eq!(
        (behind.outcome, behind.detail.as_str()),
        (Outcome::Warning, "this machine is 300 s behind the host")
    );
    let ahead = clock(Some(Times { there: here - minutes, here }));
    assert_eq!(ahead.detail, "this machine is 300 s ahead of the host");
    assert_eq!(clock(None).outcome, Outcome::Skipped);
}
