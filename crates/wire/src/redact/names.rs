//! Which names say that a value is a secret: of JSON fields, form fields, query parameters, settings, and headers.

use http::HeaderName;

/// Parts of names, in lower case and without anything between their words: `accesskey` is `access_key`, `Access-Key`,
/// `accessKey`, and a part of `fs.s3a.access.key`.
const SECRET_PARTS: [&str; 42] = [
    "accesskey",
    "accountkey",
    "activationurl",
    "analyticsprimarykey",
    "apikey",
    "assertion",
    "authkey",
    "authorization",
    "azuresas",
    "bytesvalue",
    "codeverifier",
    "connectionstring",
    "connstr",
    "cookie",
    "credential",
    "encryptionkey",
    "externallink",
    "functionkey",
    "httpheaders",
    "integrationkey",
    "masterkey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "plaintext",
    "presignedurl",
    "privatekey",
    "pwd",
    "recipientprofile",
    "routingkey",
    "sastoken",
    "sasuri",
    "sasurl",
    "secret",
    "sharedkey",
    "sharingcode",
    "signature",
    "storagekey",
    "stringvalue",
    "token",
    "webhook",
];

/// Whole names that are secret.
const SECRET_NAMES: [&str; 11] =
    ["auth", "bearer", "jwt", "otp", "pass", "pat", "sas", "sig", "signedurl", "xauth", "xauthkey"];

/// Names that contain one of the parts and are harmless.
const HARMLESS: [&str; 10] = [
    "completiontokens",
    "idempotencytoken",
    "maxtokens",
    "nextpagetoken",
    "pagetoken",
    "prevpagetoken",
    "prompttokens",
    "tokencount",
    "tokentype",
    "totaltokens",
];

/// Whether a value of this name is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let compact = compact(name);
    !HARMLESS.contains(&compact.as_str())
        && (SECRET_PARTS.iter().any(|part| compact.contains(part))
            || SECRET_NAMES.contains(&compact.as_str())
            || compact.starts_with("xamz"))
}

/// Whether a value of this name in a form or a query is a secret; there, `code` is that of a login.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    is_secret(name) || name == "code"
}

/// Whether the values of this map or list belong to the user, whatever they are called: environment variables and
/// parameters.
pub(super) fn holds_values(name: &str) -> bool {
    let compact = compact(name);
    compact == "env"
        || compact == "parameters"
        || compact.contains("envvar")
        || compact.contains("environmentvar")
}

fn compact(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Headers whose values are shown. Any other may be a secret: gateways give their keys names of their own.
const SHOWN_HEADERS: [&str; 41] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "location",
    "pragma",
    "range",
    "referer",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-request-id",
    "x-thriftserver-error-message",
];

/// Starts of the names of more headers that are shown.
const SHOWN_FAMILIES: [&str; 2] = ["x-databricks-", "x-ratelimit-"];

/// Whether the value of a header is shown.
pub(super) fn is_shown(name: &HeaderName) -> bool {
    let name = name.as_str();
    SHOWN_HEADERS.contains(&name)
        || SHOWN_FAMILIES.iter().any(|start| name.starts_with(start)) && !is_secret(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_spelling() {
        for secret in [
            "string_value",
            "token_value",
            "pwd",
            "recipientprofile",
            "passphrase",
            "private-key",
            "accessKey",
            "connection_string",
            "ConnectionString",
            "sas_url",
            "client_assertion",
            "assertion",
            "webhook_url",
            "fs.azure.account.key.store.dfs.core.windows.net",
            "fs.azure.sas.container.store.blob.core.windows.net",
            "fs.s3a.access.key",
            "spark.hadoop.javax.jdo.option.ConnectionPassword",
            "spark.my.secret.thing",
            "value_plaintext",
            "X-Amz-Security-Token",
            "sig",
            "otp",
            "passwords",
            "log_analytics_primary_key",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for harmless in ["page_token", "next_page_token", "token_type", "max_tokens", "key", "author", "path"]
        {
            assert!(!is_secret(harmless), "{harmless}");
        }
        assert!(holds_values("spark_env_vars") && holds_values("parameters") && !holds_values("environment"));
        assert!(is_secret_parameter("code") && !is_secret("code"));
    }

    #[test]
    fn headers_are_shown_if_they_are_known() {
        let shown = |name: &str| is_shown(&name.parse().unwrap());
        assert!(shown("Content-Type") && shown("x-databricks-org-id"));
        for hidden in
            ["x-auth", "X-Auth-Key", "Ocp-Apim-Subscription-Key", "x-databricks-azure-token", "link"]
        {
            assert!(!shown(hidden), "{hidden}");
        }
    }
}
