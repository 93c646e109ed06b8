//! Configuration parameters: the family's rules, one row each.

use redlatch_component::{ConfigParams, ConfigValue};
use std::collections::BTreeMap;

/// A key and its value.
type Parameter = (&'static str, Option<&'static str>);

fn listed(params: &ConfigParams) -> Vec<(&str, Option<&str>)> {
    params.iter().collect()
}

#[test]
fn tuples_are_keys_and_values_of_any_kind_in_turn() {
    let params = ConfigParams::from_tuples((
        "text",
        "a",
        String::from("owned"),
        String::from("b"),
        "number",
        6379,
        "fraction",
        1.5,
        "truth",
        true,
        "nothing",
        ConfigValue::NONE,
        "optional",
        None::<&str>,
        "negative",
        -1_i64,
    ));
    let expected = [
        ("text", Some("a")),
        ("owned", Some("b")),
        ("number", Some("6379")),
        ("fraction", Some("1.5")),
        ("truth", Some("true")),
        ("nothing", None),
        ("optional", None),
        ("negative", Some("-1")),
    ];
    assert_eq!(listed(&params), expected);
    assert_eq!(ConfigParams::from_tuples(("a", 1)).len(), 1);
}

#[test]
fn pairs_are_as_good_as_tuples() {
    let expected = ConfigParams::from_tuples(("host", "localhost", "port", 6379));
    let pairs = [("host", "localhost"), ("port", "6379")];
    assert_eq!(ConfigParams::from_tuples(pairs), expected);
    assert_eq!(ConfigParams::from_tuples(pairs.to_vec()), expected);
    assert_eq!(ConfigParams::from_tuples(pairs.as_slice()), expected);
    assert_eq!(ConfigParams::from_map(BTreeMap::from(pairs)), expected);
    assert_eq!(pairs.into_iter().collect::<ConfigParams>(), expected);
}

#[test]
fn of_equal_keys_the_last_counts_in_the_place_of_the_first() {
    let params = ConfigParams::from_tuples(("a", 1, "b", 2, "a", 3));
    assert_eq!(listed(&params), [("a", Some("3")), ("b", Some("2"))]);
}

#[test]
fn text_is_read_as_in_the_family() {
    let cases: [(&str, &[Parameter]); 6] = [
        ("a=1;b=x=y;c;e=", &[("a", Some("1")), ("b", Some("x=y")), ("c", None), ("e", Some(""))]),
        (
            " host = localhost ; port = 6379 ",
            &[("host", Some("localhost")), ("port", Some("6379"))],
        ),
        ("", &[]),
        (";; ;", &[]),
        ("=v", &[("", Some("v"))]),
        ("a=1;a=2", &[("a", Some("2"))]),
    ];
    for (text, expected) in cases {
        assert_eq!(listed(&ConfigParams::from_string(text)), expected, "{text}");
    }
}

#[test]
fn a_map_holds_all() {
    let map = ConfigParams::from_string("b=1;a").to_map();
    let expected = [("a".to_owned(), None), ("b".to_owned(), Some("1".to_owned()))];
    assert_eq!(map, BTreeMap::from(expected));
    assert_eq!(ConfigParams::from_map(map).get("b"), Some("1"));
}

#[test]
fn sections_are_what_stands_before_the_dot() {
    let params = ConfigParams::from_string("s=0;s.b=1;s.b.c=2;sx=3;t.u=4;.v=5");
    assert_eq!(params.section_names(), ["s", "sx", "t", ".v"]);
    assert_eq!(listed(&params.get_section("s")), [("b", Some("1")), ("b.c", Some("2"))]);
    assert_eq!(listed(&params.get_section("s.b")), [("c", Some("2"))]);
    assert!(params.get_section("none").is_empty() && params.get_section("u").is_empty());
    let mut whole = ConfigParams::new();
    whole.add_section("s", &ConfigParams::from_string("b=1;b.c=2"));
    whole.add_section("", &ConfigParams::from_string("sx=3"));
    assert_eq!(listed(&whole), [("s.b", Some("1")), ("s.b.c", Some("2")), ("sx", Some("3"))]);
}

#[test]
fn letter_case_counts() {
    let params = ConfigParams::from_string("Host=a;host=b;S.x=1");
    assert_eq!(
        (params.get("Host"), params.get("host"), params.get("HOST")),
        (Some("a"), Some("b"), None)
    );
    assert!(params.get_section("s").is_empty());
}

#[test]
fn what_is_set_and_added_and_removed() {
    let mut params = ConfigParams::new();
    params.set("a", 1);
    assert!(!params.add("a", 2) && params.add("b", 2));
    assert_eq!(listed(&params), [("a", Some("1")), ("b", Some("2"))]);
    assert!(params.remove("a") && !params.remove("a"));
    assert_eq!((params.len(), params.keys().collect::<Vec<_>>()), (1, vec!["b"]));
    params.set("c", None::<i32>);
    assert!(params.contains_key("c") && params.get("c").is_none());
}

#[test]
fn overriding_takes_the_later_and_defaults_the_earlier() {
    let (one, two) = (ConfigParams::from_string("a=1;b=2"), ConfigParams::from_string("b=3;c=4;a"));
    let overridden = one.override_with(&two);
    assert_eq!(listed(&overridden), [("a", None), ("b", Some("3")), ("c", Some("4"))]);
    let defaulted = one.with_defaults(&two);
    assert_eq!(listed(&defaulted), [("a", Some("1")), ("b", Some("2")), ("c", Some("4"))]);
    assert_eq!(listed(&one), [("a", Some("1")), ("b", Some("2"))], "the original stays");
}

#[test]
fn integers_are_read_or_refused_and_never_guessed() {
    let cases = [
        ("6379", Ok(Some(6379))),
        (" -5 ", Ok(Some(-5))),
        ("+7", Ok(Some(7))),
        ("9223372036854775807", Ok(Some(i64::MAX))),
        ("", Ok(None)),
        ("  ", Ok(None)),
        ("9223372036854775808", Err(())),
        ("12.7", Err(())),
        ("1e3", Err(())),
        ("0x10", Err(())),
        ("abc", Err(())),
    ];
    for (text, expected) in cases {
        let params = ConfigParams::from_tuples(("n", text));
        assert_eq!(params.get_as_integer("n").map_err(drop), expected, "{text}");
    }
    let nothing = ConfigParams::from_string("n");
    assert_eq!(nothing.get_as_integer("n").ok(), Some(None));
    assert_eq!(nothing.get_as_integer_with_default("n", 5).ok(), Some(5));
    assert_eq!(nothing.get_as_integer_with_default("missing", 6).ok(), Some(6));
    assert!(ConfigParams::from_string("n=x").get_as_integer_with_default("n", 5).is_err());
}

#[test]
fn other_kinds_are_read_or_refused_as_well() {
    let params = ConfigParams::from_string("f=1.5;g=1e3;i=inf;n=NaN;y=YES;z=0;t=maybe;s= a ;e=");
    assert_eq!(params.get_as_float("f").ok(), Some(Some(1.5)));
    assert_eq!(params.get_as_float("g").ok(), Some(Some(1000.0)));
    assert!(params.get_as_float("i").is_err() && params.get_as_float("n").is_err());
    assert_eq!(params.get_as_float_with_default("none", 2.5).ok(), Some(2.5));
    assert_eq!(params.get_as_boolean("y").ok(), Some(Some(true)));
    assert_eq!(params.get_as_boolean("z").ok(), Some(Some(false)));
    assert!(params.get_as_boolean("t").is_err());
    assert_eq!(params.get_as_boolean_with_default("none", true).ok(), Some(true));
    assert_eq!(params.get_as_string("e"), Some(""));
    assert_eq!(params.get_as_string_with_default("none", "d"), "d");
    assert_eq!(params.get_as_string_with_default("e", "d"), "");
}

#[test]
fn a_malformed_value_names_its_key_and_not_itself() {
    let params = ConfigParams::from_tuples(("options.retries", "sentinel"));
    let error = params.get_as_integer("options.retries").expect_err("no number");
    assert_eq!((error.code(), error.detail("key")), ("INVALID_VALUE", Some("options.retries")));
    assert_eq!(
        error.to_string(),
        "The parameter options.retries must be a whole number; correct its value [INVALID_VALUE]"
    );
    assert!(!format!("{error:?}").contains("sentinel"));
}

#[test]
fn debug_shows_keys_and_no_values() {
    let params =
        ConfigParams::from_tuples(("credential.password", "sentinel", "empty", None::<&str>));
    let shown = format!("{params:?}");
    assert_eq!(shown, r#"ConfigParams {"credential.password": ***, "empty": None}"#);
    assert_eq!(format!("{:?}", ConfigValue::from("sentinel")), "***");
}
