//! The events of a pipeline: a filter in the manner of SQL, two orders, and pages that remember both.

use axum::Json;
use axum::extract::Path;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::request::{listed, pipelines};
use crate::{
    call::{Answer, Call},
    error::ApiError,
    lock::lock,
    page::page_by,
};

pub(super) async fn list(Path(id): Path<String>, call: Call) -> Answer {
    // The next page is asked for by its token alone, so the token has what the first page was asked for with.
    let token = call.query("page_token").filter(|token| !token.is_empty());
    let remembered = token.and_then(|token| {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token.rsplit_once('.')?.1).ok()?).ok()?;
        text.split_once('\n').map(|(order, filter)| (order.to_owned(), filter.to_owned()))
    });
    let (order, filter) = match (token, remembered) {
        (Some(_), Some(remembered)) => remembered,
        (Some(_), None) => return Err(ApiError::invalid("Invalid page token")),
        (None, _) => {
            let asked = |name: &str| call.query(name).unwrap_or_default().to_owned();
            (asked("order_by"), asked("filter"))
        }
    };
    let is_ascending = match order.to_ascii_lowercase().as_str() {
        "" | "timestamp desc" => false,
        "timestamp asc" => true,
        other => return Err(ApiError::invalid(format!("Unsupported order_by: {other}"))),
    };
    let conditions = conditions(&filter)?;
    let mut events: Vec<Value> = {
        let pipelines = pipelines(&call);
        let mut known = lock(&pipelines);
        let pipeline = known.find(&id)?;
        pipeline.read(&call);
        let wanted = |event: &&Value| conditions.iter().all(|condition| condition.holds(event));
        pipeline.events.iter().filter(wanted).cloned().collect()
    };
    if !is_ascending {
        events.reverse();
    }
    let (page, next) = page_by(&call, "max_results", events, &format!("{id}\n{order}\n{filter}"), 250)?;
    let memory = URL_SAFE_NO_PAD.encode(format!("{order}\n{filter}"));
    Ok(Json(listed("events", page, next.map(|next| format!("{next}.{memory}")))))
}

/// `level = 'ERROR'`: a member, a comparison, and its values.
struct Condition {
    member: String,
    operator: String,
    values: Vec<String>,
}

impl Condition {
    fn holds(&self, event: &Value) -> bool {
        let Some(is) = event[&self.member].as_str() else { return false };
        // Times of one form compare as texts.
        let any = |test: fn(&str, &str) -> bool| self.values.iter().any(|value| test(is, value));
        match self.operator.as_str() {
            "<" => any(|is, value| is < value),
            "<=" => any(|is, value| is <= value),
            ">" => any(|is, value| is > value),
            ">=" => any(|is, value| is >= value),
            "<>" | "!=" => !any(|is, value| is == value),
            _ => any(|is, value| is == value),
        }
    }
}

/// Conditions on `level`, `timestamp`, `id` and `event_type`, joined by AND.
fn conditions(filter: &str) -> Result<Vec<Condition>, ApiError> {
    let unsupported = || ApiError::invalid(format!("Unsupported filter: {filter}"));
    let mut rest = filter.trim();
    let mut conditions = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').ok_or_else(unsupported)?;
        let (member, after) = (rest[..end].to_ascii_lowercase(), rest[end..].trim_start());
        if !matches!(member.as_str(), "level" | "timestamp" | "id" | "event_type") {
            return Err(unsupported());
        }
        let end = after.find(['\'', '(']).ok_or_else(unsupported)?;
        let operator = after[..end].trim().to_ascii_lowercase();
        let (values, after) = match operator.as_str() {
            "=" | "<" | "<=" | ">" | ">=" | "<>" | "!=" => after[end..]
                .strip_prefix('\'')
                .and_then(|quoted| quoted.split_once('\''))
                .map(|(value, after)| (vec![value.to_owned()], after)),
            "in" => {
                after[end..].strip_prefix('(').and_then(|list| list.split_once(')')).map(|(list, after)| {
                    let values = list.split(',').map(|value| value.trim().trim_matches('\'').to_owned());
                    (values.collect(), after)
                })
            }
            _ => None,
        }
        .ok_or_else(unsupported)?;
        conditions.push(Condition { member, operator, values });
        let after = after.trim_start();
        rest = match after.get(..4) {
            Some(word) if word.eq_ignore_ascii_case("and ") => after[4..].trim_start(),
            _ if after.is_empty() => after,
            _ => return Err(unsupported()),
        };
    }
    Ok(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_compares_members() {
        let event = json!({ "level": "ERROR", "timestamp": "2026-11-26T05:00:00.000Z", "id": "a" });
        let holds = |filter: &str| conditions(filter).unwrap().iter().all(|one| one.holds(&event));
        for filter in [
            "",
            "level='ERROR'",
            "level in ('WARN', 'ERROR') AND id <> 'b'",
            "timestamp > '2026-11-26T04:00:00.000Z' and timestamp <= '2026-11-26T05:00:00.000Z'",
        ] {
            assert!(holds(filter), "{filter}");
        }
        for filter in ["level='INFO'", "level IN ('WARN')", "id='b'", "timestamp < '2026'", "event_type='x'"]
        {
            assert!(!holds(filter), "{filter}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for filter in [
            "level",
            "level='ERROR",
            "level like 'x'",
            "message='x'",
            "level='ERROR' or id='a'",
            "level in 'x'",
        ] {
            assert!(conditions(filter).is_err(), "{filter}");
        }
    }
}
