//! Answers requests as a vector says; all other requests fail to connect.

use std::{collections::BTreeMap, sync::Mutex};

use brickwire_wire::{BoxFuture, Exchange, Unanswered};
use http::HeaderMap;
use reqwest::{Request, Response, Url};
use serde_json::Value;

use crate::{Error, ErrorKind};

#[derive(Debug)]
pub(super) struct Fake {
    routes: Mutex<Vec<Value>>,
    asked: Mutex<Vec<Asked>>,
}

#[derive(Debug)]
struct Asked {
    method: String,
    url: Url,
    headers: HeaderMap,
    form: BTreeMap<String, String>,
}

impl Fake {
    pub(super) fn new(routes: &Value) -> Self {
        Self { routes: Mutex::new(routes.as_array().cloned().unwrap_or_default()), asked: Mutex::default() }
    }

    /// Checks that such a request was sent.
    pub(super) fn was_asked(&self, wanted: &Value) -> Result<(), String> {
        let url = Url::parse(wanted["url"].as_str().unwrap()).unwrap();
        let asked = self.asked.lock().unwrap();
        let found = asked.iter().find(|a| a.method == wanted["method"] && same_url(&a.url, &url));
        let found = found.ok_or_else(|| format!("nothing was sent to {url}: {asked:?}"))?;
        for (key, value) in wanted["form"].as_object().into_iter().flatten() {
            let got = found.form.get(key).map(String::as_str);
            if got != value.as_str() {
                return Err(format!("the form's {key} is {got:?} instead of {value}"));
            }
        }
        check_headers(&found.headers, &wanted["headers"])
    }
}

fn check_headers(headers: &HeaderMap, wanted: &Value) -> Result<(), String> {
    for (name, value) in wanted.as_object().into_iter().flatten() {
        let got = headers.get(name).and_then(|v| v.to_str().ok());
        if got != value.as_str() {
            return Err(format!("the request's {name} is {got:?} instead of {value}"));
        }
    }
    Ok(())
}

fn same_url(one: &Url, other: &Url) -> bool {
    let pairs = |url: &Url| {
        let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
        pairs.sort();
        pairs
    };
    one.origin() == other.origin() && one.path() == other.path() && pairs(one) == pairs(other)
}

impl Exchange for Fake {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, Unanswered>> {
        let body = request.body().and_then(|b| b.as_bytes()).unwrap_or_default();
        let form = Url::parse(&format!("http://form/?{}", String::from_utf8_lossy(body))).unwrap();
        self.asked.lock().unwrap().push(Asked {
            method: request.method().to_string(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            form: form.query_pairs().into_owned().collect(),
        });
        let mut routes = self.routes.lock().unwrap();
        let matches = |route: &Value| {
            let url = Url::parse(route["url"].as_str().unwrap()).unwrap();
            route["method"] == request.method().as_str() && same_url(&url, request.url())
        };
        let found = routes.iter().position(matches);
        // Several answers to the same request are used one after the other; the last is repeated.
        let more = found.is_some_and(|at| routes[at + 1..].iter().any(matches));
        let route = found.map(|at| if more { routes.remove(at) } else { routes[at].clone() });
        let answer = match route {
            None => {
                let text = format!("cannot connect to {}", request.url());
                Err(Unanswered::NotSent(Error::new(ErrorKind::Unreachable, text)))
            }
            Some(route) => {
                if let Err(fault) = check_headers(request.headers(), &route["request"]["headers"]) {
                    panic!("{}: {fault}", request.url());
                }
                Ok(answer(&route["response"]))
            }
        };
        Box::pin(std::future::ready(answer))
    }
}

fn answer(response: &Value) -> Response {
    let mut answer = http::Response::builder().status(response["status"].as_u64().unwrap_or(200) as u16);
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        answer = answer.header(name, value.as_str().unwrap());
    }
    let body = match (&response["json"], response["text"].as_str()) {
        (_, Some(text)) => text.to_owned(),
        (Value::Null, None) => String::new(),
        (json, None) => json.to_string(),
    };
    answer.body(body).unwrap().into()
}
