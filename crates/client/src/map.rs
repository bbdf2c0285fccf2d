//! Maps as the service sends them: an entry whose value is `null` counts as missing, like a field.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Reads a map without its empty entries, or nothing where the document says `null`.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, T>>, D::Error> {
    let entries = Option::<BTreeMap<String, Option<T>>>::deserialize(deserializer)?;
    Ok(entries.map(|all| all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    struct Tagged {
        #[serde(default, deserialize_with = "super::optional")]
        tags: Option<BTreeMap<String, String>>,
    }

    #[test]
    fn an_entry_without_a_value_is_left_out() {
        let tags = |document| Tagged::deserialize(document).unwrap().tags;
        let kept = tags(json!({"tags": {"a": null, "b": "x"}})).unwrap();
        assert_eq!(kept.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "x".to_owned())]);
        assert_eq!((tags(json!({"tags": null})), tags(json!({}))), (None, None));
        assert!(Tagged::deserialize(json!({"tags": {"a": 1}})).is_err());
    }
}
