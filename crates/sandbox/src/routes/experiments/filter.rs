//! Filters of runs: comparisons of metrics, parameters, tags and attributes, all of which must be met.

use serde_json::Value;

use crate::error::ApiError;

/// One comparison, such as `metrics.auc >= 0.8`.
#[derive(Debug)]
pub(super) struct Comparison {
    list: &'static str,
    key: String,
    operator: &'static str,
    value: String,
}

const LISTS: [(&str, &str); 7] = [
    ("metrics.", "metrics"),
    ("metric.", "metrics"),
    ("params.", "params"),
    ("parameters.", "params"),
    ("tags.", "tags"),
    ("attributes.", "info"),
    ("attribute.", "info"),
];
const OPERATORS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

pub(super) fn parse(filter: &str) -> Result<Vec<Comparison>, ApiError> {
    if filter.trim().is_empty() {
        return Ok(Vec::new());
    }
    parts(filter).into_iter().map(|part| comparison(part.trim())).collect()
}

/// What stands between the words `and`.
fn parts(filter: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quote) = (Vec::new(), 0, None);
    let lower = filter.to_ascii_lowercase();
    for (at, character) in filter.char_indices() {
        match quote {
            Some(mark) if character == mark => quote = None,
            None if matches!(character, '\'' | '"' | '`') => quote = Some(character),
            None if lower[at..].starts_with(" and ") && at >= from => {
                parts.push(&filter[from..at]);
                from = at + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(&filter[from..]);
    parts
}

fn comparison(text: &str) -> Result<Comparison, ApiError> {
    let refused =
        || ApiError::invalid(format!("Invalid filter, or one that the sandbox doesn't support: {text}"));
    let (prefix, list) =
        LISTS.into_iter().find(|(prefix, _)| text.starts_with(prefix)).unwrap_or(("", "info"));
    let rest = &text[prefix.len()..];
    let at = rest.find(['!', '<', '>', '=']).ok_or_else(refused)?;
    let (key, rest) = rest.split_at(at);
    let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).ok_or_else(refused)?;
    let value = rest[operator.len()..].trim();
    let quoted = ['\'', '"'].into_iter().find_map(|mark| value.strip_prefix(mark)?.strip_suffix(mark));
    let is_number = value.parse::<f64>().is_ok();
    // A number is compared with metrics and times, a text with all else.
    let value = quoted.or(Some(value).filter(|_| is_number)).ok_or_else(refused)?;
    let key = key.trim().trim_matches(['`', '"']);
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(refused());
    }
    Ok(Comparison { list, key: key.to_owned(), operator, value: value.to_owned() })
}

impl Comparison {
    /// Whether a run fits.
    pub(super) fn fits(&self, run: &Value) -> bool {
        let found = match self.list {
            "info" => run["info"].get(&self.key),
            list => {
                let list = run["data"][list].as_array();
                list.and_then(|list| list.iter().find(|one| one["key"] == self.key)).map(|one| &one["value"])
            }
        };
        let order = match found {
            Some(Value::String(text)) => Some(text.as_str().cmp(&self.value)),
            Some(Value::Number(number)) => {
                number.as_f64().zip(self.value.parse().ok()).and_then(|(own, value)| own.partial_cmp(&value))
            }
            _ => None,
        };
        match (order, self.operator) {
            (None, _) => false,
            (Some(order), "=") => order.is_eq(),
            (Some(order), "!=") => order.is_ne(),
            (Some(order), "<") => order.is_lt(),
            (Some(order), "<=") => order.is_le(),
            (Some(order), ">") => order.is_gt(),
            (Some(order), _) => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_compares_what_was_recorded() {
        let run = json!({ "info": { "status": "FINISHED", "start_time": 5 }, "data": {
            "metrics": [{ "key": "auc", "value": 0.87 }], "params": [{ "key": "depth", "value": "6" }],
            "tags": [{ "key": "a b", "value": "x and y" }] } });
        let fits = |filter: &str| parse(filter).unwrap().iter().all(|comparison| comparison.fits(&run));
        for filter in [
            "",
            "metrics.auc >= 0.87 and params.depth = '6'",
            "attributes.status = 'FINISHED' AND metric.auc<1",
            "status != \"FAILED\" and start_time > 4",
            "tags.a_b != 'x'",
        ] {
            assert_eq!(fits(filter), filter != "tags.a_b != 'x'", "{filter}");
        }
        for filter in ["metrics.auc < 0.5", "params.depth = '7'", "metrics.loss < 1", "start_time <= 4"] {
            assert!(!fits(filter), "{filter}");
        }
        for filter in ["metrics.auc", "metrics.auc = high", "params.depth LIKE '6'", "= 1", "a b = 'x'"] {
            assert!(parse(filter).is_err(), "{filter}");
        }
        assert_eq!(parts("tags.a = 'x and y' and b = '1'"), ["tags.a = 'x and y'", "b = '1'"]);
    }
}
