//! Which Git provider a URL belongs to.

use reqwest::Url;

use crate::{Error, Result};

const AZURE: &str = "azureDevOpsServices";

/// Hosts and the providers behind them. A host that begins with a dot stands for all below it.
const HOSTS: [(&str, &str); 6] = [
    ("github.com", "gitHub"),
    ("gitlab.com", "gitLab"),
    ("bitbucket.org", "bitbucketCloud"),
    ("dev.azure.com", AZURE),
    (".visualstudio.com", AZURE),
    (".amazonaws.com", "awsCodeCommit"),
];

/// The provider that was given, or else the one that the URL belongs to.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the host belongs to none, and for a URL with credentials, which the
/// service would show to others. The error doesn't quote them. Azure DevOps puts a user name in its URLs, which may stay;
/// elsewhere a user name may be a token.
pub(super) fn of(url: &str, given: &str) -> Result<String> {
    let parsed = Url::parse(url).map_err(|_| Error::usage("the URL of the repository cannot be read"))?;
    let host = parsed.host_str().unwrap_or_default().to_ascii_lowercase();
    let is_of = |name: &str| host == name || name.starts_with('.') && host.ends_with(name);
    let known = HOSTS.iter().find(|(name, _)| is_of(name)).map(|(_, provider)| *provider);
    if parsed.password().is_some() || !parsed.username().is_empty() && known != Some(AZURE) {
        return Err(Error::usage("the URL of the repository contains credentials")
            .with_hint("leave them out, and store a Git credential in the workspace"));
    }
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    known.map(str::to_owned).ok_or_else(|| {
        Error::usage(format!("can't tell the Git provider from this host: {host:?}"))
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
            ("https://GitHub.com/a/b", "", "gitHub"),
            ("https://gitlab.com/a/b", "", "gitLab"),
            ("https://dev.azure.com/a/_git/b", "", "azureDevOpsServices"),
            ("https://a@dev.azure.com/a/_git/b", "", "azureDevOpsServices"),
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
            ("https://hush@github.com/a/b.git", ""),
            ("https://hush@git.example.com/a/b.git", "gitHubEnterprise"),
            ("https://hush@dev.azure.com.example.com/a/b.git", "azureDevOpsServices"),
            ("https://a:hush@dev.azure.com/a/_git/b", ""),
        ] {
            let error = of(url, given).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
