use std::{
    io::{BufReader, Write},
    net::TcpListener,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use brickwire_testserver::{ClosedPort, Request, Response};

use brickwire_wire::Authorities;

use super::{
    Doctor, NAMES, Outcome,
    tls::{Times, clock, greet},
};
use crate::{Config, Environment, ErrorKind, Host};

const PLANTED: &str = "dapi-planted-secret";

async fn outcomes(environment: &Environment) -> Vec<(String, Outcome, String)> {
    let mut seen = Vec::new();
    let doctor = Doctor::new(Config::builder().environment(environment.clone()));
    let checks = doctor.examine(|check| seen.push(check.name)).await;
    assert_eq!(seen, NAMES, "each check is reported once, in order");
    let all = serde_json::to_string(&checks).unwrap() + &format!("{checks:?}");
    assert!(!all.contains(PLANTED), "{all}");
    checks.into_iter().map(|c| (c.name.to_owned(), c.outcome, c.detail)).collect()
}

fn faults(found: &[(String, Outcome, String)]) -> Vec<&str> {
    found.iter().filter(|(_, o, _)| *o == Outcome::Fault).map(|(name, ..)| name.as_str()).collect()
}

#[tokio::test]
async fn without_a_host_nothing_is_sent() {
    let found = outcomes(&Environment::new([("DATABRICKS_TOKEN", PLANTED)])).await;
    assert_eq!(faults(&found), ["configuration"]);
    assert!(
        found[2..].iter().all(|(_, o, why)| *o == Outcome::Skipped && why == "there is no host"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_contradiction_is_shown_with_all_sources() {
    let environment = Environment::new([
        ("DATABRICKS_HOST", "http://127.0.0.1:1"),
        ("DATABRICKS_TOKEN", PLANTED),
        ("DATABRICKS_CLIENT_ID", "robot"),
        ("DATABRICKS_CLIENT_SECRET", PLANTED),
    ]);
    let found = outcomes(&environment).await;
    let (_, outcome, detail) = &found[0];
    assert_eq!(*outcome, Outcome::Fault);
    for line in [
        "more than one authorization method",
        "\ntoken = *** (environment DATABRICKS_TOKEN)",
        "\nclient_id = robot",
    ] {
        assert!(detail.contains(line), "{line}: {detail}");
    }
    assert!(!detail.contains("configured: host="), "the settings are listed once: {detail}");
}

#[tokio::test]
async fn a_dead_port_is_a_fault_of_tcp_and_skips_the_rest() {
    let closed = ClosedPort::reserve();
    let host = format!("http://{}", closed.authority());
    let environment = Environment::new([("DATABRICKS_TOKEN", PLANTED)]);
    let doctor = Doctor::new(Config::builder().host(&host).environment(environment));
    let checks = doctor.examine(|_| ()).await;
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
        let found = outcomes(&environment).await;
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

/// Serves HTTP over TLS with a certificate that a company's own authority issued, until the process ends.
fn company_server() -> Host {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let leaf = CertificateDer::from_pem_slice(include_bytes!("certificates/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/server.key")).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let host = Host::parse(&format!("https://localhost:{}", listener.local_addr().unwrap().port())).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream.unwrap()));
            // A client that refuses the certificate sends no request.
            if let Ok(Some(request)) = Request::read(&mut stream) {
                let date = httpdate::fmt_http_date(SystemTime::now());
                let response =
                    Response::new(404).with_header("date", &date).with_header("connection", "close");
                let stream = stream.get_mut();
                drop(response.write(stream, &request));
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    host
}

#[tokio::test]
async fn a_company_s_authority_is_named_and_trusted_once_its_file_is_given() {
    let host = company_server();
    let (check, times) = greet(&host, &Authorities::default()).await;
    assert_eq!(
        (check.outcome, check.error_kind),
        (Outcome::Fault, Some(ErrorKind::Unreachable)),
        "{check:?}"
    );
    assert!(check.detail.contains("TLS: ") && times.is_none(), "{check:?}");
    assert!(
        check.detail.ends_with(
            "issued by Example Corp Root (Example Corp), not a known public authority: perhaps a company's own"
        ),
        "{check:?}"
    );
    assert!(check.hint.unwrap().contains("`ca_file`"));

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/doctor/certificates/ca.pem");
    let (check, times) = greet(&host, &Authorities::read(file.as_ref()).unwrap()).await;
    assert_eq!(check.outcome, Outcome::Ok, "{check:?}");
    assert!(check.detail.starts_with("trusted; issued by Example Corp Root"), "{check:?}");
    assert_eq!(clock(times).detail, "agrees with the host's");
}
