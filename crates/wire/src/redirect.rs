//! Decides where a redirect may lead: to the same origin, ten times at most.
//!
//! Credentials, bodies and the caller's headers never go to another origin; a redirect there is an error that names it.

use ::http::{HeaderMap, Method, StatusCode, header};
use reqwest::{Request, Url};

use crate::{Error, ErrorKind, receive::Failed, redact};

/// How many redirects one attempt follows.
pub(crate) const LIMIT: usize = 10;

/// The request that a redirect asks for; `None` if the answer isn't a redirect.
///
/// Browsers turn some redirected POST requests into GET. `changes_method` says whether that is wanted. Where it isn't,
/// such a redirect is an error: the GET's answer would pass for that of the POST.
pub(crate) fn follow(
    sent: &Request,
    status: StatusCode,
    headers: &HeaderMap,
    changes_method: bool,
) -> Result<Option<Request>, Failed> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    // This is how servers answer a form that they have taken, wherever they lead then.
    let is_taken = status == StatusCode::SEE_OTHER && !matches!(*sent.method(), Method::GET | Method::HEAD);
    let stop = |error| Err(if is_taken { Failed::Unreadable(error) } else { Failed::Final(error) });
    let Some(target) = headers.get(header::LOCATION).and_then(|l| l.to_str().ok()) else {
        // A change that was answered this way may have been made.
        return Err(Failed::Unreadable(refused("without an address", status)));
    };
    let Ok(target) = sent.url().join(target) else {
        return stop(refused("to something that is not an address", status));
    };
    let is_denied = target.query().is_some_and(|q| q.contains("error=private-link-validation-error"));
    if is_denied && target.path() == "/login.html" {
        return stop(private_link(&target, status));
    }
    if target.origin() != sent.url().origin() || !target.username().is_empty() {
        let there = target.origin().ascii_serialization();
        return stop(refused(&format!("to another host: {there}"), status));
    }
    let method = match (status.as_u16(), sent.method()) {
        (301 | 302, &Method::POST) => Method::GET,
        (303, method) if method != Method::HEAD => Method::GET,
        (_, method) => method.clone(),
    };
    let keeps_body = method == *sent.method();
    if !keeps_body && !changes_method {
        let text = format!("that turns {} into {method}: {}", sent.method(), target.path());
        return Err(Failed::Unreadable(refused(&text, status)));
    }
    let mut next = Request::new(method, target);
    *next.headers_mut() = sent.headers().clone();
    *next.timeout_mut() = sent.timeout().copied();
    if keeps_body {
        if let Some(body) = sent.body() {
            let Some(bytes) = body.as_bytes() else {
                return stop(refused("of a body that can't be sent again", status));
            };
            *next.body_mut() = Some(bytes.to_vec().into());
        }
    } else {
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
            next.headers_mut().remove(name);
        }
    }
    Ok(Some(next))
}

/// The error for too many redirects.
pub(crate) fn too_many(url: &Url) -> Error {
    Error::new(
        ErrorKind::UnexpectedResponse,
        format!("more than {LIMIT} redirects, last to {}", redact::url(url)),
    )
}

fn refused(why: &str, status: StatusCode) -> Error {
    Error::new(ErrorKind::UnexpectedResponse, format!("refused to follow a redirect {why}"))
        .with_hint("check the host; a proxy or a single sign-on page may stand before the workspace")
        .with_details(|d| d.status = Some(status.as_u16()))
}

fn private_link(target: &Url, status: StatusCode) -> Error {
    let cloud = match target.host_str().unwrap_or_default() {
        host if host.contains("azure") => "Azure Private Link",
        host if host.contains("gcp") => "Private Service Connect",
        _ => "AWS PrivateLink",
    };
    Error::new(
        ErrorKind::PermissionDenied,
        format!("the workspace has {cloud} enabled and cannot be reached from this network"),
    )
    .with_hint("use a machine inside the private network, or ask for access to it")
    .with_details(|d| {
        d.status = Some(status.as_u16());
        d.error_code = Some("PRIVATE_LINK_VALIDATION_ERROR".to_owned());
    })
}
