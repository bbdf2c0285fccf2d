//! How much memory the lists and maps of one document may take: `{}` is two bytes on the wire and can be kilobytes as a struct.
//!
//! A decoder has no argument for this, and one document is decoded on one thread without a pause, so what is left is
//! kept for the thread.

use std::{cell::Cell, collections::BTreeMap, fmt, marker::PhantomData};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What the elements of all lists and maps of a document may take, in bytes.
pub(super) const LARGEST: usize = 64 << 20;

/// What an entry of a map takes in addition to its value: the key, and its share of a node.
const KEY: usize = 80;

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Decodes one document whose lists and maps take this many bytes at most.
pub(super) fn limited<T>(bytes: usize, decode: impl FnOnce() -> T) -> T {
    struct Restore(Option<usize>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _restore = Restore(LEFT.replace(Some(bytes)));
    decode()
}

/// Takes room for one element. Outside of [`limited`] there is no limit.
fn take<E: Error>(bytes: usize) -> Result<(), E> {
    let Some(left) = LEFT.get() else { return Ok(()) };
    let left = left.checked_sub(bytes.max(1)).ok_or_else(|| {
        E::custom(format_args!("its lists and maps would take more than {} MiB", LARGEST >> 20))
    })?;
    LEFT.set(Some(left));
    Ok(())
}

/// Reads a list, or nothing where the document says `null`. For `deserialize_with`.
///
/// # Errors
/// If an element is not what the type says, or the lists and maps of a document that [`decode`](super::decode) reads
/// would take more than 64 MiB.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Ok(Option::<Row<T>>::deserialize(deserializer)?.map(|row| row.0))
}

/// Reads a list of lists, such as rows of cells, or nothing where the document says `null`. For `deserialize_with`.
///
/// # Errors
/// As for [`list`].
pub fn rows<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Vec<T>>>, D::Error> {
    let rows: Option<Vec<Row<T>>> = list(deserializer)?;
    Ok(rows.map(|rows| rows.into_iter().map(|row| row.0).collect()))
}

/// Reads a map without its empty entries, for an entry whose value is `null` counts as missing like a field; or nothing
/// where the document says `null`. For `deserialize_with`.
///
/// # Errors
/// As for [`list`].
pub fn map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, T>>, D::Error> {
    Ok(Option::<Entries<T>>::deserialize(deserializer)?.map(|entries| entries.0))
}

/// Reads a list whose elements are read by a seed.
///
/// # Errors
/// As for [`list`], and if the document says `null`.
pub fn elements<'de, D: Deserializer<'de>, S: DeserializeSeed<'de> + Copy>(
    deserializer: D,
    seed: S,
) -> Result<Vec<S::Value>, D::Error> {
    deserializer.deserialize_seq(Elements(seed))
}

/// Reads a map whose values are read by a seed, without the entries that it finds empty.
///
/// # Errors
/// As for [`list`], and if the document says `null`.
pub fn entries<'de, D: Deserializer<'de>, S: DeserializeSeed<'de, Value = Option<T>> + Copy, T>(
    deserializer: D,
    seed: S,
) -> Result<BTreeMap<String, T>, D::Error> {
    deserializer.deserialize_map(Values(seed))
}

struct Entries<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        entries(deserializer, PhantomData::<Option<T>>).map(Self)
    }
}

struct Values<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = Option<T>> + Copy, T> Visitor<'de> for Values<S> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key()? {
            let value = entries.next_value_seed(self.0)?;
            take(KEY + size_of::<T>())?;
            if let Some(value) = value {
                map.insert(key, value);
            }
        }
        Ok(map)
    }
}

struct Row<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Row<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        elements(deserializer, PhantomData).map(Self)
    }
}

struct Elements<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Elements<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self.0)? {
            take(size_of::<S::Value>())?;
            list.push(element);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Wide {
        #[serde(default, deserialize_with = "super::map")]
        tags: Option<BTreeMap<String, String>>,
        #[serde(default, deserialize_with = "super::list")]
        wide: Option<Vec<[u64; 4]>>,
        #[serde(default, deserialize_with = "super::rows")]
        rows: Option<Vec<Vec<Option<String>>>>,
    }

    fn decode(text: &str) -> crate::Result<Wide> {
        crate::json::decode(text.as_bytes())
    }

    #[test]
    fn lists_are_read_as_usual() {
        let read = decode(r#"{"wide":[[1,2,3,4]],"rows":[["a",null],[]]}"#).unwrap();
        assert_eq!(read.wide, Some(vec![[1, 2, 3, 4]]));
        assert_eq!(read.rows, Some(vec![vec![Some("a".to_owned()), None], vec![]]));
        let read = decode(r#"{"wide":null}"#).unwrap();
        assert_eq!((read.wide, read.rows), (None, None));
        assert!(decode(r#"{"wide":{}}"#).unwrap_err().to_string().contains("at `wide`"));
        assert!(decode(r#"{"wide":[[1,2,3,4],"x"]}"#).unwrap_err().to_string().contains("at `wide[1]`"));
    }

    #[test]
    fn an_entry_without_a_value_is_left_out() {
        let tags = |text| decode(text).unwrap().tags;
        let kept = tags(r#"{"tags": {"a": null, "b": "x"}}"#).unwrap();
        assert_eq!(kept.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "x".to_owned())]);
        assert_eq!((tags(r#"{"tags": null}"#), tags("{}")), (None, None));
        assert!(decode(r#"{"tags": {"a": 1}}"#).is_err());
    }

    #[test]
    fn the_lists_and_maps_of_one_document_share_a_limit() {
        let within = |bytes, text: &str| {
            super::limited(bytes, || serde_json::from_str::<Wide>(text)).map_err(|error| error.to_string())
        };
        let text = r#"{"rows":[[null,"a"],[]],"tags":{"a":"x","b":null},"wide":[[1,2,3,4]]}"#;
        let (vec, string) = (size_of::<Vec<u8>>(), size_of::<String>());
        let takes = 2 * vec + 2 * string + 2 * (super::KEY + string) + 32;
        for _ in 0..2 {
            within(takes, text).unwrap();
        }
        let error = within(takes - 1, text).unwrap_err();
        assert!(error.contains("its lists and maps would take more than 64 MiB"), "{error}");
        // What reads JSON in its own way has limits of its own.
        serde_json::from_str::<Wide>(text).unwrap();
        let error = crate::json::decode::<Large>(format!("[{}0]", "0,".repeat(4096)).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("more than 64 MiB"), "{error}");
    }

    #[derive(Debug, Deserialize)]
    #[serde(transparent)]
    struct Large {
        #[serde(deserialize_with = "super::list")]
        _list: Option<Vec<Page>>,
    }

    /// Much larger than its document.
    #[derive(Debug)]
    struct Page(#[expect(dead_code, reason = "its size counts")] [u8; 1 << 14]);

    impl<'de> Deserialize<'de> for Page {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self([u8::deserialize(deserializer)?; 1 << 14]))
        }
    }
}
