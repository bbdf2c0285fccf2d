//! Where a workspace is: decides which texts are hosts, normalizes them, and joins paths to them.
//!
//! Differences from the SDKs, on purpose: user information, other schemes and plain http to anything but loopback
//! are refused, because a token would travel in the clear or to another place than the reader of the text expects; and
//! a path, a query and a fragment are dropped, so that an address copied from the browser works.

use std::fmt;

use reqwest::Url;

use crate::{Cloud, Error, Result};

/// A workspace's (or account console's) origin, normalised.
///
/// ```
/// # use brickwire_wire::Host;
/// let host = Host::parse("ADB-1.2.azuredatabricks.net/?o=42#setting/clusters")?;
/// assert_eq!(host.as_str(), "https://adb-1.2.azuredatabricks.net");
/// assert_eq!(host.workspace_id(), Some("42"));
/// # Ok::<(), brickwire_wire::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    origin: String,
    url: Url,
    workspace_id: Option<String>,
    account_id: Option<String>,
}

impl Host {
    /// Parses a host name, an origin or a whole address from the browser.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an empty text, user information, a scheme
    /// other than http and https, and http to anything but loopback.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let refuse = |why: &str| {
            Err(Error::configuration(format!("the host {why}: {:?}", without_userinfo(trimmed)))
                .with_hint("give the workspace's address, for example https://adb-123.4.azuredatabricks.net"))
        };
        if trimmed.is_empty() {
            return Err(Error::configuration("no host configured")
                .with_hint("set DATABRICKS_HOST to the workspace's address, or name a profile"));
        }
        if trimmed.contains(char::is_whitespace) || trimmed.contains(char::is_control) {
            return refuse("contains blanks or control characters");
        }
        let with_scheme = match trimmed.split_once("://") {
            Some(_) => trimmed.to_owned(),
            None if trimmed.starts_with("http:/") || trimmed.starts_with("https:/") => {
                return refuse("is malformed (one slash after the scheme)");
            }
            None => format!("https://{trimmed}"),
        };
        let Ok(url) = Url::parse(&with_scheme) else {
            return refuse("is not an address (no host configured)");
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refuse("must be https: over plain http the token would travel in the clear"),
            _ => return refuse("has a scheme other than https"),
        }
        if !url.username().is_empty() || url.password().is_some() || authority(&with_scheme).contains('@') {
            return refuse("must not contain user information (@)");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refuse("has no name (no host configured)");
        }
        let parameter = |is_id: &dyn Fn(&str, &str) -> bool| {
            url.query_pairs().find(|(k, v)| is_id(k, v)).map(|(_, v)| v.into_owned())
        };
        // `o` is always a number; the newer names also hold UUIDs.
        let workspace_id = parameter(&|name, id| match name {
            "o" => !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()),
            "w" | "workspace_id" => {
                id.bytes().any(|b| b.is_ascii_digit())
                    && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            }
            _ => false,
        });
        let account_id = parameter(&|name, id| matches!(name, "a" | "account_id") && !id.is_empty());
        let origin = url.origin().ascii_serialization();
        let Ok(url) = Url::parse(&origin) else { return refuse("is not an address") };
        Ok(Self { origin, url, workspace_id, account_id })
    }

    /// The origin: scheme, name and port if it isn't the scheme's own; no trailing slash.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// The workspace id that the address carried (`?o=` or `?w=`).
    pub fn workspace_id(&self) -> Option<&str> {
        self.workspace_id.as_deref()
    }

    /// The account id that the address carried (`?a=` or `?account_id=`).
    pub fn account_id(&self) -> Option<&str> {
        self.account_id.as_deref()
    }

    /// Whether this is an account console and not a workspace.
    pub fn is_account_console(&self) -> bool {
        Cloud::is_account_console(self.name())
    }

    /// The account consoles of the cloud that this workspace lives in, where that is known by name.
    pub fn account_consoles(&self) -> impl Iterator<Item = Self> {
        let names = self.cloud().map_or(&[][..], Cloud::account_consoles);
        names.iter().filter_map(|name| Self::parse(name).ok())
    }

    /// The cloud that it belongs to, as far as its name tells.
    pub fn cloud(&self) -> Option<&'static Cloud> {
        Cloud::of(self.name())
    }

    /// Whether this host's credential may go to a URL: to the host itself, or to an account console of its cloud.
    pub fn may_receive_credential(&self, url: &Url) -> bool {
        self.is_origin_of(url) || self.account_consoles().any(|console| console.is_origin_of(url))
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether a URL stays on this origin.
    pub fn is_origin_of(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }

    /// Joins an absolute path (with its query) to the origin.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if that is no path on this origin.
    pub fn join(&self, path: &str) -> Result<Url> {
        let refuse = || Error::usage(format!("not a path on {}: {path:?}", self.origin));
        let url =
            Url::parse(&format!("{}/{}", self.origin, path.trim_start_matches('/'))).map_err(|_| refuse())?;
        if self.is_origin_of(&url) && url.username().is_empty() { Ok(url) } else { Err(refuse()) }
    }

    /// The name alone, without scheme and port.
    pub fn name(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl std::str::FromStr for Host {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// Whether a URL names this machine.
pub fn is_loopback(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What stands between the scheme and the path. Browsers put an `@` behind it: `#workspace/Users/me@example.com`.
fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

/// For an error's text: what stands before an `@` may be a password.
fn without_userinfo(text: &str) -> String {
    match (text.rsplit_once('@'), text.split_once("://")) {
        (Some((_, rest)), Some((scheme, _))) => format!("{scheme}://***@{rest}"),
        (Some((_, rest)), None) => format!("***@{rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn normalizes() {
        for (text, origin) in [
            ("https://abc.def.ghi", "https://abc.def.ghi"),
            (" abc.def.ghi/ ", "https://abc.def.ghi"),
            ("HTTPS://ABC.def.GHI:443/x?y#z", "https://abc.def.ghi"),
            ("https://abc.def.ghi:8443", "https://abc.def.ghi:8443"),
            ("127.0.0.1:8080", "https://127.0.0.1:8080"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://abc.def.ghi///", "https://abc.def.ghi"),
            ("http-internal.corp", "https://http-internal.corp"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), origin, "{text}");
        }
    }

    #[test]
    fn refuses_what_would_send_a_token_elsewhere() {
        for (text, part) in [
            ("", "no host"),
            ("x.com@evil.example", "user information"),
            ("https://user:pw@x.com", "user information"),
            ("ftp://x.com", "scheme"),
            ("http://x.cloud.databricks.com", "must be https"),
            ("a b.com", "blanks"),
            ("https://", "no host"),
            ("https://:443", "no host"),
            ("https:/x.com", "malformed"),
        ] {
            let error = Host::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("pw"), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_names_its_workspace() {
        const UUID: &str = "0f6e5d4c-1b2a-4333-8444-555566667777";
        let id = |query: &str| {
            Host::parse(&format!("h.example/?{query}")).unwrap().workspace_id().map(str::to_owned)
        };
        for (query, expected) in [
            ("o=42", Some("42")),
            ("o=42#workspace/Users/me@example.com", Some("42")),
            ("w=42", Some("42")),
            (&format!("w={UUID}"), Some(UUID)),
            (&format!("workspace_id={UUID}#x"), Some(UUID)),
            (&format!("o=&w={UUID}"), Some(UUID)),
            ("o=x", None),
            ("w=none", None),
            ("w=4/2", None),
        ] {
            assert_eq!(id(query).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn knows_the_account_console_of_each_cloud() {
        for (host, consoles) in [
            ("x.cloud.databricks.com", &["accounts.cloud.databricks.com"][..]),
            ("x.cloud.databricks.us", &["accounts.cloud.databricks.us", "accounts-dod.cloud.databricks.us"]),
            (
                "x.cloud.databricks.mil",
                &["accounts-dod.cloud.databricks.mil", "accounts.cloud.databricks.mil"],
            ),
            ("1.2.gcp.databricks.com", &["accounts.gcp.databricks.com"]),
            ("adb-1.2.azuredatabricks.net", &["accounts.azuredatabricks.net"]),
            ("adb-1.2.databricks.azure.us", &["accounts.databricks.azure.us"]),
            ("adb-1.2.databricks.azure.cn", &["accounts.databricks.azure.cn"]),
            ("databricks.com.evil.example", &[]),
        ] {
            let host = Host::parse(host).unwrap();
            assert!(
                host.account_consoles().map(|h| h.name().to_owned()).eq(consoles.iter().copied()),
                "{host}"
            );
            for console in consoles {
                let url = format!("https://{console}/oidc/accounts/1/v1/token").parse().unwrap();
                assert!(host.may_receive_credential(&url), "{host}: {console}");
                assert!(Host::parse(console).unwrap().is_account_console(), "{console}");
            }
            assert!(!host.is_account_console(), "{host}");
        }
        let host = Host::parse("x.cloud.databricks.us").unwrap();
        for other in [
            "https://accounts.cloud.databricks.com/",
            "https://accounts-dod.cloud.databricks.us:444/",
            "http://accounts-dod.cloud.databricks.us/",
            "https://accounts-dod.cloud.databricks.us.evil.example/",
        ] {
            assert!(!host.may_receive_credential(&other.parse().unwrap()), "{other}");
        }
        assert!(!Host::parse("accounts.example.com").unwrap().is_account_console());
    }

    #[test]
    fn a_path_never_leaves_the_origin() {
        let host = Host::parse("https://abc.def.ghi").unwrap();
        for path in ["@evil.example/x", "//evil.example/x", "/\\evil.example", "api/2.0/x?y=@z"] {
            let url = host.join(path).unwrap();
            assert!(host.is_origin_of(&url), "{path}: {url}");
        }
    }
}
