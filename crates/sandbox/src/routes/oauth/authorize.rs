//! The login page (RFC 6749, 4.1; RFC 7636). There is one user, who approves or denies at once.
//!
//! Every user of the machine can reach this page, and its tokens run code as the sandbox's owner. So it asks for the
//! login code, which only the owner sees, and sends a code back only after the form with it. The code of the form isn't
//! taken from the address: browsers keep addresses.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{
    account::{ACCOUNT_ID, is_known},
    logins::{Login, Logins},
};
use crate::{
    auth::PUBLIC_CLIENT,
    error::ApiError,
    secrets::{random_hex, same},
    server::Server,
};

/// The form; a GET has none.
type Filled = Result<Form<Vec<(String, String)>>, FormRejection>;

pub(super) async fn in_workspace(
    server: State<Arc<Server>>,
    method: Method,
    query: RawQuery,
    form: Filled,
) -> Response {
    page(&server, &method, query, form)
}

pub(super) async fn in_account(
    server: State<Arc<Server>>,
    Path(account_id): Path<String>,
    method: Method,
    query: RawQuery,
    form: Filled,
) -> Response {
    if account_id != ACCOUNT_ID {
        return ApiError::gateway(StatusCode::NOT_FOUND, "Account not found").into_response();
    }
    page(&server, &method, query, form)
}

fn page(server: &Server, method: &Method, RawQuery(query): RawQuery, form: Filled) -> Response {
    let asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let form = match (method, form) {
        (&Method::POST, Ok(Form(form))) => Some(Asked(form)),
        (&Method::POST, Err(_)) => Some(Asked(Vec::new())),
        _ => None,
    };
    back(server, &Asked(asked), form.as_ref()).unwrap_or_else(IntoResponse::into_response)
}

/// Redirects the browser to its program, with a code or with an error; asks for the login code first. A request without
/// a known client and an address on this machine gets an error page instead: the browser is never sent to an unchecked
/// address.
fn back(server: &Server, asked: &Asked, form: Option<&Asked>) -> Result<Response, ApiError> {
    let wrong = |text: &str| ApiError::gateway(StatusCode::BAD_REQUEST, text);
    if asked.get("client_id") != Some(PUBLIC_CLIENT) {
        return Err(wrong("The client_id is not known"));
    }
    let redirect_uri = asked.get("redirect_uri").filter(|uri| is_loopback(uri));
    let redirect_uri = redirect_uri.ok_or_else(|| wrong("The redirect_uri is not an address on loopback"))?;
    let user = server.directory.user()?;
    let mut answer = form_urlencoded::Serializer::new(String::new());
    match login(server, asked, redirect_uri) {
        Ok(login) => {
            let typed = form.map(|form| form.get("login_code").unwrap_or_default().trim());
            if !typed.is_some_and(|typed| same(typed, &server.login_code)) {
                return Ok(login_page(typed));
            }
            let code = format!("code{}", random_hex(40));
            answer.append_pair("code", &code);
            user.tenant.state::<Logins>().add_code(code, login, server.now_ms());
        }
        Err((error, text)) => {
            answer.append_pair("error", error).append_pair("error_description", text);
        }
    }
    if let Some(state) = asked.get("state") {
        answer.append_pair("state", state);
    }
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = HeaderValue::try_from(format!("{redirect_uri}{separator}{}", answer.finish()));
    let location = location.map_err(|_| wrong("The redirect_uri does not fit into a header"))?;
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    // 303: what was a POST here is a GET there.
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The page that asks for the login code; `typed` is a wrong one.
fn login_page(typed: Option<&str>) -> Response {
    let (status, remark) = match typed {
        None => (StatusCode::OK, ""),
        Some(_) => (StatusCode::FORBIDDEN, "<p>This is not the login code of this sandbox.</p>"),
    };
    let page = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"/><title>Log in to the sandbox</title></head><body>\
         <h1>Log in to the sandbox</h1>{remark}<form method=\"post\"><label>Login code, as <code>brick sandbox</code> \
         printed it: <input name=\"login_code\" autocomplete=\"off\" autofocus required/></label> \
         <button>Log in</button></form></body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (status, headers, page).into_response()
}

/// What the code will stand for, or the error and its description.
fn login(server: &Server, asked: &Asked, redirect_uri: &str) -> Result<Login, (&'static str, &'static str)> {
    match asked.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "The response_type must be code")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    if asked.get("state").is_none() {
        return Err(("invalid_request", "state is missing"));
    }
    if asked.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "The code_challenge_method must be S256"));
    }
    // 256 bits in base64 without padding.
    let Some(challenge) = asked.get("code_challenge").filter(|challenge| challenge.len() == 43) else {
        return Err(("invalid_request", "code_challenge is missing or is no hash"));
    };
    let scope = asked.get("scope").unwrap_or("all-apis");
    if !is_known(scope) {
        return Err(("invalid_scope", "The requested scope is not known"));
    }
    if !server.options.consent {
        return Err(("access_denied", "The user said no"));
    }
    Ok(Login {
        redirect_uri: redirect_uri.to_owned(),
        challenge: challenge.to_owned(),
        scope: scope.to_owned(),
    })
}

/// The parameters of a query or a form.
struct Asked(Vec<(String, String)>);

impl Asked {
    /// A parameter. An empty or repeated one counts as missing.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

/// An address of a program on the same machine (RFC 8252, 7.3): any port.
fn is_loopback(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let plain = !address.contains(['#', '@', '\\']);
    plain
        && uri.scheme_str() == Some("http")
        && uri.host().is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_on_this_machine_are_sent_a_code() {
        for good in ["http://localhost:8020", "http://127.0.0.1:1/back?a=b", "http://[::1]:80/"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "https://localhost:8020",
            "http://localhost.evil.example",
            "http://localhost:8020@evil.example/",
            "http://evil.example/#localhost",
            "http://localhost/#fragment",
            "//localhost/",
            "localhost:8020",
            "",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
