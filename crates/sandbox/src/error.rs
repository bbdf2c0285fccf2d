//! The errors of the API: one type, and which of the service's shapes a path answers with.
//!
//! The service has several error shapes. Its 2.x APIs answer `{error_code, message, details}`, 1.2 answers
//! `{error}`, SCIM follows its RFC, account paths answer `CODE: text`, and the gateway in front of everything
//! answers JSON with a *number* as `error_code`, or HTML where no API lives.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error on its way out. The shape is chosen by [`render`], which knows the path.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: String,
    message: String,
    voice: Voice,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Voice {
    /// The service behind the path.
    Service,
    /// The gateway: the same shape on every path.
    Gateway,
    /// The token endpoint (RFC 6749, section 5.2).
    OAuth,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), voice: Voice::Service }
    }

    pub(crate) fn gateway(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: String::new(), message: message.into(), voice: Voice::Gateway }
    }

    pub(crate) fn oauth(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), voice: Voice::OAuth }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
    }

    pub(crate) fn invalid_state(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_STATE", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", message)
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }
}

impl IntoResponse for ApiError {
    /// An empty answer that carries the error; [`render`] gives it its body.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives an answer that carries an [`ApiError`] the body that `path` answers with; others pass untouched.
pub(crate) fn render(path: &str, request_id: &str, mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let ApiError { status, code, message, voice } = error;
    let mut rendered = match voice {
        Voice::OAuth => json_body(status, &json!({ "error": code, "error_description": message })),
        Voice::Gateway if path.starts_with("/api/") => {
            let mut answer = json_body(status, &json!({ "error_code": status.as_u16(), "message": message }));
            if let Ok(phrase) = HeaderValue::from_str(&message) {
                answer.headers_mut().insert("x-databricks-reason-phrase", phrase);
            }
            answer
        }
        Voice::Gateway => html(status, &message),
        Voice::Service if path.starts_with("/api/1.2/") => json_body(status, &json!({ "error": message })),
        Voice::Service if path.starts_with("/api/2.0/preview/scim/") => {
            let mut body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "detail": message,
                "status": status.as_str(),
            });
            // SCIM's own codes, unlike the service's, begin with a small letter.
            if code.starts_with(|first: char| first.is_ascii_lowercase()) {
                body["scimType"] = json!(code);
            }
            json_body(status, &body)
        }
        Voice::Service if path.starts_with("/api/2.0/accounts/") => {
            (status, format!("{code}: {message}")).into_response()
        }
        Voice::Service => json_body(
            status,
            &json!({
                "error_code": code,
                "message": message,
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.RequestInfo",
                    "request_id": request_id,
                    "serving_data": "",
                }],
            }),
        ),
    };
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

fn json_body(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

/// A page as the gateway's web server writes it.
pub(crate) fn html(status: StatusCode, message: &str) -> Response {
    let title = format!("Error {} {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"));
    let body = format!(
        "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\"/>\n\
         <title>{title}</title>\n</head>\n<body><h2>HTTP ERROR {}</h2>\n<p>Reason:\n<pre>    {message}</pre></p>\n\
         </body>\n</html>\n",
        status.as_u16(),
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}
