use super::*;

fn size(lines: usize, columns: usize) -> Size {
    Size { lines: Some(lines), columns: Some(columns) }
}

/// The lines of a query's result on a terminal, and what is missing.
fn shown(columns: &[(&str, Cells)], rows: &[&[Option<&str>]], size: Size) -> (Vec<String>, Missing) {
    let columns = columns.iter().map(|(name, cells)| (*name, *cells, *cells == Cells::Values));
    let mut grid = Grid::of_query(columns, size);
    grid.has_colors = false;
    rows.iter().for_each(|row| row.iter().for_each(|cell| grid.push(*cell, "NULL")));
    let mut out = Vec::new();
    grid.write(true, &mut out);
    (lines(out), grid.missing())
}

fn lines(out: Vec<u8>) -> Vec<String> {
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

const NOTHING: Missing = Missing { columns: None, is_cut: false };

#[test]
fn cells_are_aligned_and_stay_on_their_line() {
    let columns = [("n", Cells::Values), ("wide\nname", Cells::Text), ("last", Cells::Text)];
    let rows: [&[_]; 3] = [
        &[Some("7"), Some("日本"), Some("a\nb\tc")],
        &[Some("100"), Some("é"), None],
        &[None, Some(""), Some("NULL")],
    ];
    let expected = [
        "   n  wide\\nname  last",
        "   7  日本        a\\nb\\tc",
        " 100  é           NULL",
        "NULL              'NULL'",
    ];
    assert_eq!(shown(&columns, &rows, size(24, 80)), (expected.map(str::to_owned).to_vec(), NOTHING));
}

#[test]
fn cells_are_cut_and_columns_left_out_to_fit() {
    let long = "0123456789abcdefghijklmnopqrstuvwxyz";
    let columns = [("a", Cells::Text), ("n", Cells::Values), ("b", Cells::Text)];
    let row: &[_] = &[Some(long), Some("12345678901234567890"), Some("short")];
    let rows = vec![row; 30];
    let (lines, missing) = shown(&columns, &rows, size(24, 51));
    assert_eq!(lines[0], format!("{:21}  {:>20}  b", "a", "n"));
    assert_eq!(lines[1], "0123456789abcdefghij…  12345678901234567890  short");
    assert_eq!(missing, Missing { columns: None, is_cut: true });
    let (lines, missing) = shown(&columns, &rows, size(24, 30));
    assert_eq!(lines[0], "a                    …  b");
    assert_eq!(lines[1], "0123456789abcdefgh…  …  short");
    assert_eq!(missing, Missing { columns: Some(2), is_cut: true });
}

#[test]
fn what_would_be_left_out_of_a_short_result_is_shown_in_records() {
    let columns = [("id", Cells::Values), ("first_name", Cells::Values), ("when", Cells::Values)];
    let row: &[_] = &[Some("12345678901234"), Some("1234567890123"), None];
    let (lines, missing) = shown(&columns, &[row, row], size(24, 30));
    assert_eq!(
        lines[..4],
        ["id          12345678901234", "first_name  1234567890123", "when        NULL", ""]
    );
    assert_eq!((lines.len(), missing), (7, NOTHING));
    // The records would be longer than the screen.
    let (lines, missing) = shown(&columns, &[row, row], size(8, 30));
    assert_eq!(lines[0], "            id  …  when");
    assert_eq!(missing.columns, Some(2));
}

#[test]
fn a_single_row_is_never_cut() {
    let statement = "CREATE TABLE t (\n  id INT,\n  name STRING)";
    let lines = |size| shown(&[("createtab_stmt", Cells::Text)], &[&[Some(statement)]], size).0;
    let expected =
        ["createtab_stmt  CREATE TABLE t (", "                  id INT,", "                  name STRING)"];
    assert_eq!(lines(size(24, 200)), expected);
    assert_eq!(lines(size(2, 30)), expected);
    let (lines, missing) = shown(&[("a", Cells::Text)], &[&[Some(&"x".repeat(100))]], size(24, 40));
    assert_eq!((lines, missing), (vec![format!("a  {}", "x".repeat(100))], NOTHING));
}

#[test]
fn later_pages_keep_the_widths_unless_a_number_needs_more() {
    let columns = [("n", Cells::Values, true), ("text", Cells::Text, false)];
    let mut grid = Grid::of_query(columns.into_iter(), size(24, 40));
    grid.has_colors = false;
    let mut page = |n: &str, text: &str, is_last| {
        let mut out = Vec::new();
        grid.push(Some(n), "NULL");
        grid.push(Some(text), "NULL");
        grid.write(is_last, &mut out);
        lines(out)
    };
    assert_eq!(page("12", "four", false), [" n  text", "12  four"]);
    assert_eq!(page("3", "more than four", false), [" 3  mor…"]);
    assert_eq!(page("12345", "x", true), ["    n  text", "12345  x"]);
    assert!(!grid.is_pending());
    assert_eq!(grid.missing(), Missing { columns: None, is_cut: true });
}

#[test]
fn a_list_keeps_its_ids_and_paints_its_states() {
    let headings = ["ID", "NAME", "STATE", "CREATOR"];
    let mut grid = Grid::of_list(headings.into_iter(), size(24, 42));
    grid.has_colors = true;
    for cell in ["0123-456789-abcdefgh", "a long name of a cluster", "RUNNING", "someone"] {
        grid.push_text(cell);
    }
    let mut out = Vec::new();
    grid.write(true, &mut out);
    let heading = format!("\x1b[1mID\x1b[0m{:20}\x1b[1mNAME\x1b[0m{:14}…", "", "");
    assert_eq!(lines(out), [heading.as_str(), "0123-456789-abcdefgh  a long name of …  …"]);
    assert_eq!(grid.missing(), Missing { columns: Some(2), is_cut: true });
    let mut grid = Grid::of_list(["ID", "STATE"].into_iter(), Size::default());
    grid.has_colors = true;
    ["1", "RUNNING", "2", "RUNNING\x1b[2J"].into_iter().for_each(|cell| grid.push_text(cell));
    let mut out = Vec::new();
    grid.write(true, &mut out);
    assert_eq!(lines(out)[1..], ["1   \x1b[32mRUNNING\x1b[0m", "2   RUNNING\\u001b[2J"]);
}

#[test]
fn no_page_has_a_line_that_is_wider_than_the_terminal() {
    let words = [
        "",
        "x",
        "日本語のテキスト",
        "مرحبا بالعالم",
        "👩\u{200d}💻👩\u{200d}💻",
        "e\u{301}\x1b[2J",
        "a\nb\tc",
        "plain text of some length",
    ];
    let numbers = ["1", "-12345.678", "2016-01-07T13:21:05.000Z", "true"];
    let mut seed = 11_u64;
    let mut number = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    for _ in 0..400 {
        let columns = 30 + number(170);
        let kinds: Vec<Cells> =
            (0..1 + number(12)).map(|_| if number(2) == 0 { Cells::Values } else { Cells::Text }).collect();
        let named = kinds.iter().map(|cells| ("a name", *cells, *cells == Cells::Values));
        let mut grid = Grid::of_query(named, size(3, columns)).always_a_table();
        grid.has_colors = false;
        let mut values = Vec::new();
        for _ in 0..2 + number(5) {
            for cells in &kinds {
                let cell = match cells {
                    Cells::Values => numbers[number(numbers.len())].to_owned(),
                    _ => words[number(words.len())].repeat(1 + number(4)),
                };
                grid.push(Some(&cell), "NULL");
                if *cells == Cells::Values {
                    values.push(cell);
                }
            }
        }
        let mut out = Vec::new();
        grid.write(true, &mut out);
        let lines = lines(out);
        assert!(lines.iter().all(|line| width(line) < columns), "{columns}: {lines:#?}");
        let shown: Vec<&str> = lines[1..].iter().flat_map(|line| line.split("  ")).map(str::trim).collect();
        let hides = grid.missing().columns.is_some();
        for value in values {
            assert!(hides || shown.iter().any(|cell| **cell == value), "{value} is cut: {lines:#?}");
        }
    }
}
