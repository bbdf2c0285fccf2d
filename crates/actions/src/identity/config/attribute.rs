//! The table of all settings: names, environment variables, and the kind of credential that each belongs to. The names
//! are those of the SDKs. Settings that this connector doesn't use are here so that bad values and contradictions are
//! reported.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// The name, which is also the key in a profile.
    pub(crate) name: &'static str,
    /// Other keys in a profile.
    pub(crate) other_keys: &'static [&'static str],
    /// The environment variables; the first that is set is used.
    pub(crate) variables: &'static [&'static str],
    pub(crate) form: Form,
    pub(crate) secret: bool,
    /// The family of credentials that it belongs to; two families at once contradict each other.
    pub(crate) family: Option<&'static str>,
    /// Why this connector doesn't use it.
    pub(crate) unused: Option<&'static str>,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Flag,
    Number,
    /// Part of a URL's path: letters, digits, `-` and `_`.
    Id,
}

const fn plain(name: &'static str, variables: &'static [&'static str]) -> Attribute {
    Attribute {
        name,
        other_keys: &[],
        variables,
        form: Form::Text,
        secret: false,
        family: None,
        unused: None,
    }
}

impl Attribute {
    const fn family(mut self, family: &'static str) -> Self {
        self.family = Some(family);
        self
    }
    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
    const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }
    const fn unused(mut self, why: &'static str) -> Self {
        self.unused = Some(why);
        self
    }
    const fn other_keys(mut self, keys: &'static [&'static str]) -> Self {
        self.other_keys = keys;
        self
    }
}

const VERIFIED: &str = "certificates are always verified; `ca_file` adds a company's own authority";
const OWN_LOG: &str = "the debug log shows headers and the start of bodies, with secrets masked";

pub(crate) static ATTRIBUTES: [Attribute; 41] = [
    plain("host", &["DATABRICKS_HOST"]),
    plain("account_id", &["DATABRICKS_ACCOUNT_ID"]).form(Form::Id),
    plain("workspace_id", &["DATABRICKS_WORKSPACE_ID"]).form(Form::Id),
    plain("profile", &["DATABRICKS_CONFIG_PROFILE"]),
    plain("config_file", &["DATABRICKS_CONFIG_FILE"]),
    plain("auth_type", &["DATABRICKS_AUTH_TYPE"]),
    plain("warehouse_id", &["DATABRICKS_WAREHOUSE_ID"]),
    // Replaced by the warehouse or the cluster that it names.
    plain("http_path", &[]),
    plain("cluster_id", &["DATABRICKS_CLUSTER_ID"]),
    plain("token", &["DATABRICKS_TOKEN"]).secret().family("pat"),
    plain("client_id", &["DATABRICKS_CLIENT_ID"]).family("oauth"),
    plain("client_secret", &["DATABRICKS_CLIENT_SECRET"]).secret().family("oauth"),
    plain("scopes", &[]),
    plain("group_id", &["DATABRICKS_GROUP_ID"]),
    plain("token_audience", &["DATABRICKS_TOKEN_AUDIENCE"]).other_keys(&["audience"]),
    plain("oidc_token_env", &["DATABRICKS_OIDC_TOKEN_ENV"])
        .other_keys(&["databricks_oidc_token_env"])
        .family("env-oidc"),
    plain("oidc_token_filepath", &["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"])
        .other_keys(&["databricks_id_token_filepath", "databricks_oidc_token_filepath"])
        .family("file-oidc"),
    plain("discovery_url", &["DATABRICKS_DISCOVERY_URL"]),
    plain("databricks_cli_path", &["DATABRICKS_CLI_PATH"]),
    plain("azure_workspace_resource_id", &["DATABRICKS_AZURE_RESOURCE_ID"]).family("azure"),
    plain("azure_client_id", &["ARM_CLIENT_ID"]).family("azure"),
    plain("azure_client_secret", &["ARM_CLIENT_SECRET"]).secret().family("azure"),
    plain("azure_tenant_id", &["ARM_TENANT_ID"]).family("azure"),
    plain("azure_environment", &["ARM_ENVIRONMENT"]),
    plain("azure_login_app_id", &["DATABRICKS_AZURE_LOGIN_APP_ID"])
        .unused("tokens are always for the application of Azure Databricks"),
    plain("azure_use_msi", &["ARM_USE_MSI"]).form(Form::Flag).family("azure"),
    plain("username", &["DATABRICKS_USERNAME"]).family("basic"),
    plain("password", &["DATABRICKS_PASSWORD"]).secret().family("basic"),
    plain("metadata_service_url", &["DATABRICKS_METADATA_SERVICE_URL"]).secret().family("metadata-service"),
    plain("google_credentials", &["GOOGLE_CREDENTIALS"]).secret().family("google"),
    plain("google_service_account", &["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"]).family("google"),
    plain("cloud", &["DATABRICKS_CLOUD"]),
    plain("serverless_compute_id", &["DATABRICKS_SERVERLESS_COMPUTE_ID"]),
    plain("rate_limit", &["DATABRICKS_RATE_LIMIT"])
        .form(Form::Number)
        .unused("requests are not throttled; they wait when the service asks for it"),
    plain("debug_truncate_bytes", &["DATABRICKS_DEBUG_TRUNCATE_BYTES"]).form(Form::Number).unused(OWN_LOG),
    plain("debug_headers", &["DATABRICKS_DEBUG_HEADERS"]).form(Form::Flag).unused(OWN_LOG),
    plain("skip_verify", &[]).form(Form::Flag).unused(VERIFIED),
    plain("insecure", &[]).form(Form::Flag).unused(VERIFIED),
    // The rest is not in the SDKs: they always discover the endpoint, leave certificates to their platforms, and send
    // everything.
    plain("token_url", &[]),
    plain("ca_file", &[]),
    plain("read_only", &["BRICK_READ_ONLY"]).form(Form::Flag),
];

/// The attribute of that name.
pub(crate) fn attribute(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|a| a.name == name)
}

/// Parses a flag as the Go SDK does.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
