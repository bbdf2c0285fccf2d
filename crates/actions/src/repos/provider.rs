//! Which Git provider a URL belongs to.

use reqwest::Url;

use crate::{Error, Result};

/// Hosts and the providers behind them. A host that begins with a dot stands for all below it.
const HOSTS: [(&str, &str); 6] = [
    ("github.com", "gitHub"),
    ("gitlab.com", "gitLab"),
    ("bitbucket.org", "bitbucketCloud"),
    ("dev.azure.com", "azureDevOpsServices"),
    (".visualstudio.com", "azureDevOpsServices"),
    (".amazonaws.com", "awsCodeCommit"),
];

/// The provider that was given, or else the one that the URL belongs to.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the host belongs to none, and for a URL with a password, which the
/// service would show to others. The error doesn't quote that one.
pub(super) fn of(url: &str, given: &str) -> Result<String> {
    let parsed = Url::parse(url).map_err(|_| Error::usage("the URL of the repository cannot be read"))?;
    if parsed.password().is_some() {
        return Err(Error::usage("the URL of the repository contains a password")
            .with_hint("leave it out, and store a Git credential in the workspace"));
    }
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    let host = parsed.host_str().unwrap_or_default().to_ascii_lowercase();
    let is_of = |name: &str| host == name || name.starts_with('.') && host.ends_with(name);
    let known = HOSTS.iter().find(|(name, _)| is_of(name));
    known.map(|(_, provider)| (*provider).to_owned()).ok_or_else(|| {
        Error::usage(format!("the Git provider does not follow from this host: {host:?}"))
            .with_hint("set `provider` to what hosts it, such as gitHubEnterprise or gitLabEnterpriseEdition")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn the_host_tells_the_provider_unless_one_is_given() {
        for (url, given, provider) in [
            ("https://github.com/a/b.git", "", "gitHub"),
            ("https://ada@GitHub.com/a/b", "", "gitHub"),
            ("https://gitlab.com/a/b", "", "gitLab"),
            ("https://dev.azure.com/a/_git/b", "", "azureDevOpsServices"),
            ("https://a.visualstudio.com/_git/b", "", "azureDevOpsServices"),
            ("https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/b", "", "awsCodeCommit"),
            ("https://git.example.com/a/b", "gitHubEnterprise", "gitHubEnterprise"),
        ] {
            assert_eq!(of(url, given).unwrap(), provider, "{url}");
        }
        for (url, given) in [
            ("https://git.example.com/a", ""),
            ("https://github.com.example.com/a", ""),
            ("https://notgithub.com/a", ""),
            ("git@github.com:a/b.git", ""),
            ("", "gitHub"),
            ("https://ada:hush@github.com/a/b", "gitHub"),
        ] {
            let error = of(url, given).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
