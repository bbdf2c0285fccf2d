//! Where we differ from the vectors on purpose.

/// A vector, why we differ, and what is expected of us instead.
pub(super) struct Difference {
    /// The vector's name; with `*` at the end, all vectors whose names start with the rest.
    pub(super) vector: &'static str,
    pub(super) why: &'static str,
    /// Our outcome, in the form of a vector's `expect`.
    pub(super) ours: &'static str,
}

impl Difference {
    pub(super) fn covers(&self, name: &str) -> bool {
        self.vector.strip_suffix('*').map_or(self.vector == name, |start| name.starts_with(start))
    }
}

const fn differ(vector: &'static str, why: &'static str, ours: &'static str) -> Difference {
    Difference { vector, why, ours }
}

/// The vector's token endpoint is on another host than its workspace. It is run again with the endpoint on the workspace's
/// host, and must then have the expected outcome.
pub(super) const ELSEWHERE: &str =
    "design: a credential never goes to a host that only an answer of the workspace names";
/// The vector's CI system has an address without TLS. It is run again with https, and must then have the expected outcome.
pub(super) const IN_THE_CLEAR: &str = "design: a job's access token goes to a CI system over TLS only";
const REFUSED: &str =
    r#"{"error_contains": "names an OAuth server on another host: https://localhost:1234"}"#;

const PASSWORDS: &str = "issue: basic is not done; the error names it and a way that works";
const NO_BASIC: &str = r#"{"error_contains": "basic", "error_mentions": ["personal access token"]}"#;

const LOCAL_SERVICE: &str =
    "issue: the metadata service is not done; the error names it and a way that works";
const NO_METADATA: &str = r#"{"error_contains": "metadata-service", "error_mentions": ["oauth-m2m"]}"#;

pub(super) const DIFFERENCES: &[Difference] = &[
    differ("perm/basic_auth", PASSWORDS, NO_BASIC),
    differ("perm/basic_auth_mix", PASSWORDS, NO_BASIC),
    differ("perm/basic_auth_attrs", PASSWORDS, NO_BASIC),
    differ("perm/auth_type_from_env", PASSWORDS, NO_BASIC),
    differ("cfg/password_double-quotes", PASSWORDS, NO_BASIC),
    differ("cfg/password_single-quotes", PASSWORDS, NO_BASIC),
    differ("ini/empty_token_other_auth", PASSWORDS, NO_BASIC),
    differ("matrix/basic/*", PASSWORDS, NO_BASIC),
    differ("metadata-service/*", LOCAL_SERVICE, NO_METADATA),
    differ("matrix/metadata-service/*", LOCAL_SERVICE, NO_METADATA),
    differ(
        "matrix/azure-devops-oidc/*",
        IN_THE_CLEAR,
        r#"{"error_contains": "must be https", "error_mentions": ["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "http://devops.test"]}"#,
    ),
    differ(
        "matrix/github-oidc-azure/*",
        "issue: not done; the error names it and a way that works",
        r#"{"error_contains": "github-oidc-azure", "error_mentions": ["github-oidc with"]}"#,
    ),
    differ(
        "azure/msi",
        "issue: managed identities are not done; the error names it and a way that works",
        r#"{"error_contains": "azure-msi", "error_mentions": ["oauth-m2m"]}"#,
    ),
    differ(
        "azure/host_from_resource_id",
        "resolving uses no network, and a host that only an answer names gets no credential: the host must be given",
        r#"{"error_contains": "no host configured", "error_mentions": ["DATABRICKS_HOST"]}"#,
    ),
    differ(
        "ini/key_case",
        "keys are compared without case, like in Python (the vector's own note recommends it): ignoring `Host` helps no user",
        r#"{"auth_type": "pat", "host": "https://h.cloud.databricks.com", "headers": {"Authorization": "Bearer t"}}"#,
    ),
    differ(
        "prec/arg_host_plus_profile_token",
        "design: two sources that name different hosts are an error that shows both",
        r#"{"error_contains": "two sources name different hosts",
            "error_mentions": ["https://arg (explicit)", "https://p.cloud.databricks.com (profile p"]}"#,
    ),
    differ(
        "prec/token_whitespace",
        "the vector allows both: blanks around a pasted token are removed rather than refused",
        r#"{"auth_type": "pat", "headers": {"Authorization": "Bearer abc"}}"#,
    ),
    differ(
        "host/http_remote_kept",
        "design: no token goes in the clear to anything but loopback",
        r#"{"error_contains": "must be https"}"#,
    ),
    differ("host/uppercase_host", "design: hosts are lower-cased", r#"{"host": "https://abc.def.ghi"}"#),
    differ(
        "token-state/ttl30_remaining30",
        "a life below 40 s is cut by a quarter of it, as the vector's note asks: otherwise each call would refresh",
        r#"{"state": "fresh"}"#,
    ),
    differ(
        "token-cache/no_file_is_created_0600",
        "the store is the only file that is written, and only by a login: reading it does not create it",
        r#"{"error_contains": "token not found"}"#,
    ),
    differ("m2m/happy_flow", ELSEWHERE, REFUSED),
    differ("m2m/happy_flow_profile", ELSEWHERE, REFUSED),
    differ("m2m/scopes_single", ELSEWHERE, REFUSED),
    differ("m2m/scopes_sorted", ELSEWHERE, REFUSED),
    differ("m2m/error_*", ELSEWHERE, REFUSED),
    differ("group/m2m_assume_group", ELSEWHERE, REFUSED),
];

/// The only vector that still differs if the token endpoint is on the workspace's host.
pub(super) const AT_HOME: &[Difference] = &[differ(
    "m2m/happy_flow",
    "RFC 6749, 7.1: a client must not use a token of an unknown type; Databricks only has Bearer, so that is what is sent",
    r#"{"auth_type": "oauth-m2m", "host": "https://a", "headers": {"Authorization": "Bearer cde"}}"#,
)];
