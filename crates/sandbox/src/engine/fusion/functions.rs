//! Which functions there are, and Spark's spelled with what DataFusion has.
//!
//! Only functions known to mean the same as in Databricks may be called. DataFusion has more under the same names
//! that mean something else (`log` to base ten, `regexp_replace` of the first match); those are replaced by a template
//! or refused, never called.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{Expr, visit_expressions_mut};

use super::parse::parser_of;

/// Name, number of arguments, what it means; `_1`, `_2`… are the arguments.
const TEMPLATES: &[(&str, usize, &str)] = &[
    ("any_value", 1, "first_value(_1)"),
    ("approx_count_distinct", 1, "CAST(approx_distinct(_1) AS BIGINT)"),
    ("array_agg", 1, "collect_list(_1)"),
    ("array_remove", 2, "array_remove_all(_1, _2)"),
    ("array_size", 1, "CAST(array_length(_1) AS INT)"),
    ("bigint", 1, "CAST(_1 AS BIGINT)"),
    ("boolean", 1, "CAST(_1 AS BOOLEAN)"),
    ("cardinality", 1, "size(_1)"),
    ("char_length", 1, "length(_1)"),
    ("character_length", 1, "length(_1)"),
    ("charindex", 2, "CAST(strpos(_2, _1) AS INT)"),
    ("count_if", 1, "count(CASE WHEN _1 THEN 1 END)"),
    ("date", 1, "CAST(_1 AS DATE)"),
    ("datediff", 2, "date_diff(_1, _2)"),
    ("day", 1, "CAST(EXTRACT(DAY FROM _1) AS INT)"),
    ("dayofmonth", 1, "CAST(EXTRACT(DAY FROM _1) AS INT)"),
    ("dayofweek", 1, "CAST(EXTRACT(DOW FROM _1) AS INT)"),
    ("dayofyear", 1, "CAST(EXTRACT(DOY FROM _1) AS INT)"),
    ("decimal", 1, "CAST(_1 AS DECIMAL(10,0))"),
    ("double", 1, "CAST(_1 AS DOUBLE)"),
    ("endswith", 2, "ends_with(_1, _2)"),
    ("every", 1, "bool_and(_1)"),
    ("explode", 1, "unnest(_1)"),
    ("filter", 2, "array_filter(_1, _2)"),
    ("first", 1, "first_value(_1)"),
    ("float", 1, "CAST(_1 AS FLOAT)"),
    ("instr", 2, "CAST(strpos(_1, _2) AS INT)"),
    ("int", 1, "CAST(_1 AS INT)"),
    ("isnan", 1, "coalesce(isnan(CAST(_1 AS DOUBLE)), false)"),
    ("isnotnull", 1, "_1 IS NOT NULL"),
    ("isnull", 1, "_1 IS NULL"),
    ("last", 1, "last_value(_1)"),
    ("lcase", 1, "lower(_1)"),
    ("left", 2, "substring(_1, 1, _2)"),
    ("len", 1, "length(_1)"),
    ("locate", 2, "CAST(strpos(_2, _1) AS INT)"),
    ("ln", 1, "CASE WHEN _1 > 0 THEN ln(CAST(_1 AS DOUBLE)) END"),
    ("log", 1, "CASE WHEN _1 > 0 THEN ln(CAST(_1 AS DOUBLE)) END"),
    ("log10", 1, "CASE WHEN _1 > 0 THEN log10(CAST(_1 AS DOUBLE)) END"),
    ("log2", 1, "CASE WHEN _1 > 0 THEN log2(CAST(_1 AS DOUBLE)) END"),
    ("mean", 1, "avg(_1)"),
    ("month", 1, "CAST(EXTRACT(MONTH FROM _1) AS INT)"),
    ("percentile", 2, "percentile_cont(CAST(_1 AS DOUBLE), _2)"),
    ("quarter", 1, "CAST(EXTRACT(QUARTER FROM _1) AS INT)"),
    ("rand", 0, "random()"),
    ("regexp", 2, "regexp_like(_1, _2)"),
    ("regexp_replace", 3, "regexp_replace(_1, _2, _3, 'g')"),
    ("sequence", 2, "generate_series(_1, _2)"),
    ("sequence", 3, "generate_series(_1, _2, _3)"),
    ("sign", 1, "signum(CAST(_1 AS DOUBLE))"),
    ("smallint", 1, "CAST(_1 AS SMALLINT)"),
    ("some", 1, "bool_or(_1)"),
    ("startswith", 2, "starts_with(_1, _2)"),
    ("string", 1, "CAST(_1 AS STRING)"),
    ("timestamp", 1, "CAST(_1 AS TIMESTAMP)"),
    ("tinyint", 1, "CAST(_1 AS TINYINT)"),
    ("to_timestamp", 1, "CAST(_1 AS TIMESTAMP)"),
    ("to_date", 1, "CAST(_1 AS DATE)"),
    ("transform", 2, "array_transform(_1, _2)"),
    ("try_divide", 2, "CASE WHEN _2 = 0 THEN NULL ELSE _1 / nullif(_2, 0) END"),
    ("ucase", 1, "upper(_1)"),
    ("unix_timestamp", 0, "CAST(now() AS BIGINT)"),
    ("unix_timestamp", 1, "CAST(CAST(_1 AS TIMESTAMP) AS BIGINT)"),
    ("variance", 1, "var_samp(_1)"),
    ("weekofyear", 1, "CAST(EXTRACT(WEEK FROM _1) AS INT)"),
    ("year", 1, "CAST(EXTRACT(YEAR FROM _1) AS INT)"),
];

/// DataFusion's own functions that mean what Databricks' of the same name do; those of its Spark package are allowed
/// besides. Sorted.
#[rustfmt::skip]
const SAME_MEANING: &[&str] = &[
    "acos", "array_append", "array_distinct", "array_except", "array_intersect", "array_max",
    "array_min", "array_prepend", "array_union", "arrays_zip", "asin", "atan", "bit_and", "bit_length",
    "bit_or", "bit_xor", "bool_and", "bool_or", "btrim", "cbrt", "chr", "coalesce", "contains", "corr",
    "cos", "cosh", "cot", "count", "covar_pop", "covar_samp", "cume_dist", "current_date",
    "current_timestamp", "degrees", "dense_rank", "exp", "find_in_set", "first_value", "flatten",
    "greatest", "grouping", "ifnull", "lag", "last_value", "lead", "least", "levenshtein", "lower",
    "lpad", "ltrim", "make_date", "map", "map_entries", "map_keys", "map_values", "max", "median", "min",
    "named_struct", "nanvl", "now", "nth_value", "ntile", "nullif", "nvl", "nvl2", "octet_length",
    "percent_rank", "percentile_cont", "pi", "power", "radians", "rank", "regexp_count", "regexp_like",
    "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx",
    "regr_sxy", "regr_syy", "repeat", "replace", "reverse", "right", "row_number", "rpad", "rtrim",
    "signum", "sin", "sinh", "split_part", "sqrt", "stddev", "stddev_pop", "stddev_samp", "struct",
    "sum", "tan", "tanh", "translate", "trim", "typeof", "upper", "uuid", "var_pop", "var_samp",
    "variance",
];

/// Spark's functions of DataFusion's Spark package, when they need more care than its own version takes.
const NOT_FROM_THE_PACKAGE: &[&str] = &["json_tuple", "spark_cast", "time_trunc"];

/// Databricks' functions that nothing here has: refused as such, not as unknown. Sorted.
#[rustfmt::skip]
const KNOWN_BUT_MISSING: &[&str] = &[
    "aes_decrypt", "aes_encrypt", "aggregate", "ai_query", "approx_percentile", "approx_top_k",
    "array_compact", "array_insert", "array_join", "array_position", "array_sort", "arrays_overlap",
    "assert_true", "bround", "ceiling", "conv", "cosine_similarity", "current_metastore_id",
    "date_format", "date_from_unix_date", "date_part", "dateadd", "datepart", "dayname", "decode",
    "element_at", "encode", "equal_null", "exists", "explode_outer", "forall", "format_number",
    "from_csv", "from_json", "from_unixtime", "get", "get_json_object", "h3_longlatash3", "hash",
    "histogram_numeric", "http_request", "identifier", "ilike", "initcap", "inline", "inline_outer",
    "input_file_name", "is_account_group_member", "is_member", "java_method", "json_array_length",
    "json_object_keys", "json_tuple", "kurtosis", "listagg", "log1p", "make_timestamp", "map_concat",
    "map_contains_key", "map_filter", "map_zip_with", "mask", "max_by", "md5", "min_by", "mode",
    "monotonically_increasing_id", "months_between", "normalize", "overlay", "parse_json",
    "percentile_approx", "percentile_disc", "posexplode", "posexplode_outer", "position", "printf",
    "product", "randn", "random", "read_files", "reduce", "reflect", "regexp_extract",
    "regexp_extract_all", "regexp_instr", "regexp_substr", "schema_of_csv", "schema_of_json", "secret",
    "sentences", "session_window", "shiftleft", "shiftright", "skewness", "sort_array", "split",
    "st_point", "stack", "string_agg", "substring_index", "timestamp_micros", "timestamp_millis",
    "timestamp_seconds", "timestampadd", "timestampdiff", "to_binary", "to_char", "to_csv", "to_json",
    "to_number", "to_timestamp", "to_unix_timestamp", "to_varchar", "transform_keys", "transform_values",
    "try_add", "try_aes_decrypt", "try_avg", "try_element_at", "try_multiply", "try_subtract",
    "try_to_number", "try_to_timestamp", "unbase64", "unix_micros", "unix_millis", "unix_seconds",
    "variant_get", "window", "xpath", "zip_with",
];

static PARSED: LazyLock<HashMap<(&'static str, usize), Expr>> = LazyLock::new(|| {
    let parse = |text| parser_of(text).ok().and_then(|mut parser| parser.parse_expr().ok());
    TEMPLATES
        .iter()
        .map(|(name, arguments, text)| ((*name, *arguments), parse(text).expect("templates are under test")))
        .collect()
});

static FROM_THE_PACKAGE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let scalar = datafusion_spark::all_default_scalar_functions();
    let aggregate = datafusion_spark::all_default_aggregate_functions();
    let scalar = scalar
        .iter()
        .flat_map(|f| f.aliases().iter().cloned().chain([f.name().to_owned()]).collect::<Vec<_>>());
    let aggregate = aggregate
        .iter()
        .flat_map(|f| f.aliases().iter().cloned().chain([f.name().to_owned()]).collect::<Vec<_>>());
    let mut names: Vec<String> = scalar.chain(aggregate).collect();
    names.retain(|name| !NOT_FROM_THE_PACKAGE.contains(&name.as_str()));
    names
});

/// What may be done with a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// DataFusion's function of this name is the one meant.
    Same,
    /// Databricks has it, this engine doesn't.
    Missing,
    /// No such function exists in Databricks.
    Unknown,
}

pub(super) fn standing(name: &str) -> Standing {
    if SAME_MEANING.contains(&name) || FROM_THE_PACKAGE.iter().any(|known| known == name) {
        Standing::Same
    } else if KNOWN_BUT_MISSING.contains(&name) || TEMPLATES.iter().any(|(known, ..)| *known == name) {
        Standing::Missing
    } else {
        Standing::Unknown
    }
}

/// The call's meaning with its arguments put in.
pub(super) fn expand(name: &str, arguments: &[Expr]) -> Option<Expr> {
    let (_, template) = PARSED.iter().find(|((n, count), _)| *n == name && *count == arguments.len())?;
    let mut out = template.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut out, |expression| {
        if let Expr::Identifier(name) = expression
            && let Some(argument) = name.value.strip_prefix('_').and_then(|n| n.parse::<usize>().ok())
        {
            *expression = arguments[argument - 1].clone();
        }
        ControlFlow::Continue(())
    });
    Some(out)
}

/// Calls that make a row of many: what GROUP BY ALL leaves out.
#[rustfmt::skip]
pub(super) const AGGREGATES: &[&str] = &[
    "any_value", "approx_count_distinct", "approx_distinct", "array_agg", "avg", "bit_and", "bit_or",
    "bit_xor", "bool_and", "bool_or", "collect_list", "collect_set", "corr", "count", "count_if",
    "covar_pop", "covar_samp", "every", "first", "first_value", "grouping", "last", "last_value", "max",
    "mean", "median", "min", "percentile", "percentile_cont", "regr_avgx", "regr_avgy", "regr_count",
    "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "some", "stddev",
    "stddev_pop", "stddev_samp", "sum", "try_sum", "var_pop", "var_samp", "variance",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        assert_eq!(PARSED.len(), TEMPLATES.len());
    }

    #[test]
    fn arguments_take_the_places_of_their_numbers() {
        let argument = |text| parser_of(text).unwrap().parse_expr().unwrap();
        let expanded = expand("locate", &[argument("'l'"), argument("upper(_1)")]).unwrap();
        assert_eq!(expanded.to_string(), "CAST(strpos(upper(_1), 'l') AS INT)");
        assert_eq!(expand("locate", &[argument("1")]), None);
    }

    #[test]
    fn the_lists_are_sorted_and_a_name_stands_in_one() {
        for list in [SAME_MEANING, KNOWN_BUT_MISSING, AGGREGATES] {
            assert!(list.is_sorted(), "{list:?}");
        }
        assert_eq!(standing("upper"), Standing::Same);
        assert_eq!(standing("date_add"), Standing::Same);
        assert_eq!(standing("md5"), Standing::Missing);
        assert_eq!(
            standing("locate"),
            Standing::Missing,
            "with another number of arguments than its template's"
        );
        assert_eq!(standing("foo"), Standing::Unknown);
    }
}
