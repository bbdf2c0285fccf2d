//! The clouds that Databricks runs in: the one table of host names, account consoles and Azure's endpoints.

/// The company whose cloud a workspace runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

impl Provider {
    /// The name that the SDKs use: `aws`, `azure` or `gcp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }
}

/// One of the clouds, recognized by the host names of its workspaces.
#[derive(Debug, PartialEq, Eq)]
pub struct Cloud {
    provider: Provider,
    /// What the host name of each workspace ends with.
    suffix: &'static str,
    /// The host names of its account consoles, the usual one first. The US Department of Defense has one of its own.
    consoles: &'static [&'static str],
    azure: Option<AzureCloud>,
}

/// Where an Azure cloud issues tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct AzureCloud {
    /// The name that `ARM_ENVIRONMENT` has for it, in lower case, without `azure` and `cloud`.
    pub name: &'static str,
    /// The origin of the Entra ID endpoints.
    pub login: &'static str,
    /// The audience of tokens for the resource manager.
    pub management: &'static str,
}

const PUBLIC_AZURE: AzureCloud = AzureCloud {
    name: "public",
    login: "https://login.microsoftonline.com",
    management: "https://management.core.windows.net/",
};

static CLOUDS: [Cloud; 7] = [
    Cloud {
        provider: Provider::Gcp,
        suffix: ".gcp.databricks.com",
        consoles: &["accounts.gcp.databricks.com"],
        azure: None,
    },
    Cloud {
        provider: Provider::Aws,
        suffix: ".cloud.databricks.com",
        consoles: &["accounts.cloud.databricks.com"],
        azure: None,
    },
    Cloud {
        provider: Provider::Aws,
        suffix: ".cloud.databricks.us",
        consoles: &["accounts.cloud.databricks.us", "accounts-dod.cloud.databricks.us"],
        azure: None,
    },
    Cloud {
        provider: Provider::Aws,
        suffix: ".cloud.databricks.mil",
        consoles: &["accounts-dod.cloud.databricks.mil", "accounts.cloud.databricks.mil"],
        azure: None,
    },
    Cloud {
        provider: Provider::Azure,
        suffix: ".azuredatabricks.net",
        consoles: &["accounts.azuredatabricks.net"],
        azure: Some(PUBLIC_AZURE),
    },
    Cloud {
        provider: Provider::Azure,
        suffix: ".databricks.azure.us",
        consoles: &["accounts.databricks.azure.us"],
        azure: Some(AzureCloud {
            name: "usgovernment",
            login: "https://login.microsoftonline.us",
            management: "https://management.core.usgovcloudapi.net/",
        }),
    },
    Cloud {
        provider: Provider::Azure,
        suffix: ".databricks.azure.cn",
        consoles: &["accounts.databricks.azure.cn"],
        azure: Some(AzureCloud {
            name: "china",
            login: "https://login.chinacloudapi.cn",
            management: "https://management.core.chinacloudapi.cn/",
        }),
    },
];

impl Cloud {
    /// The cloud of a host, as far as its name tells.
    pub fn of(host_name: &str) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| host_name.ends_with(cloud.suffix))
    }

    /// The company that runs it.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The host names of its account consoles, the usual one first.
    pub fn account_consoles(&self) -> &'static [&'static str] {
        self.consoles
    }

    /// Azure's endpoints, if it is one of Azure's clouds.
    pub fn azure(&self) -> Option<&AzureCloud> {
        self.azure.as_ref()
    }

    /// Whether the name is that of an account console, such as `accounts.cloud.databricks.com` or the one of the US
    /// Department of Defense, `accounts-dod.cloud.databricks.mil`.
    pub(crate) fn is_account_console(host_name: &str) -> bool {
        CLOUDS.iter().any(|cloud| cloud.consoles.contains(&host_name))
    }
}

impl AzureCloud {
    /// The public cloud.
    pub fn public() -> &'static Self {
        &PUBLIC_AZURE
    }

    /// The cloud with the name that `ARM_ENVIRONMENT` gives it, in any case: `public`, `usgovernment`, `china`, with or
    /// without `Azure` and `Cloud`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let plain = name.to_ascii_lowercase().replace("azure", "").replace("cloud", "");
        CLOUDS.iter().filter_map(Cloud::azure).find(|azure| azure.name == plain)
    }
}
