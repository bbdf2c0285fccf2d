use super::*;

/// A table for a test: its columns and its rows.
struct Table {
    columns: Vec<(String, String)>,
    rows: Vec<Vec<Option<String>>>,
}

impl Table {
    fn preview(&self, limits: PreviewLimits) -> Preview {
        let columns = self.columns.iter().map(|(name, type_text)| (name.as_str(), type_text.as_str()));
        let mut preview = Preview::new(columns, limits);
        for row in &self.rows {
            preview.push(row.iter().map(|cell| cell.as_deref()));
        }
        preview
    }
}

fn columns(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), "STRING".to_owned())).collect()
}

fn repeated(columns: usize, rows: usize, cell: &str) -> Table {
    Table {
        columns: (0..columns).map(|at| (format!("column_{at}"), "STRING".to_owned())).collect(),
        rows: vec![vec![Some(cell.to_owned()); columns]; rows],
    }
}

/// A random table: sometimes small, sometimes with many rows, columns or long cells, and with all sorts of characters.
fn random(random: &mut fastrand::Rng) -> Table {
    const CHARACTERS: &[char] = &[
        'a', 'b', '7', ' ', '\t', '\n', '\\', '#', 'N', '…', '日', '👩', '\u{202e}', '\x1b', '\r', '(', '+',
    ];
    let text = |random: &mut fastrand::Rng, longest: usize| -> String {
        let length = random.usize(..=longest);
        (0..length).map(|_| CHARACTERS[random.usize(..CHARACTERS.len())]).collect()
    };
    let columns = [1, 2, 7, 60, 1_000][random.usize(..5)];
    let rows = [0, 1, 3, 60, 300][random.usize(..if columns > 60 { 3 } else { 5 })];
    let longest = [1, 8, 30, 250, 2_000][random.usize(..if columns * rows > 400 { 3 } else { 5 })];
    let longest_name = [1, 10, 300][random.usize(..3)];
    Table {
        columns: (0..columns).map(|_| (text(random, longest_name), text(random, 12))).collect(),
        rows: (0..rows)
            .map(|_| (0..columns).map(|_| (random.u8(..10) > 0).then(|| text(random, longest))).collect())
            .collect(),
    }
}

/// Reads a cell back.
fn unescaped(cell: &str) -> Option<String> {
    if cell == "\\N" {
        return None;
    }
    let (mut text, mut rest) = (String::new(), cell.chars());
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let code = match rest.next().unwrap() {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'x' => {
                char::from_u32(u32::from_str_radix(&rest.by_ref().take(2).collect::<String>(), 16).unwrap())
                    .unwrap()
            }
            'u' => {
                let digits: String =
                    rest.by_ref().skip(1).take_while(|character| *character != '}').collect();
                char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
            }
            other => other,
        };
        text.push(code);
    }
    Some(text)
}

/// Whether the text, read back, is the whole table.
fn is_whole(text: &str, table: &Table) -> bool {
    let mut lines = text.split_terminator('\n').take_while(|line| !line.starts_with('#'));
    let read = |line: &str| line.split('\t').map(unescaped).collect::<Vec<_>>();
    let heading: Vec<_> = table
        .columns
        .iter()
        .map(|(name, type_text)| match type_text.as_str() {
            "" => Some(name.clone()),
            _ => Some(format!("{name}:{type_text}")),
        })
        .collect();
    // A heading without any text is not printed.
    (heading == [Some(String::new())] || lines.next().is_some_and(|line| read(line) == heading))
        && lines.map(read).eq(table.rows.iter().cloned())
}

/// The rule that matters: never too long, and complete only if all of it is there.
#[test]
fn a_preview_is_short_and_complete_only_if_nothing_is_missing() {
    let seed = 20_261_126;
    let mut generator = fastrand::Rng::with_seed(seed);
    let (mut complete, mut incomplete) = (0, 0);
    for run in 0..1_000 {
        let table = random(&mut generator);
        let preview = table.preview(PreviewLimits::default());
        let next = "x\\".repeat(generator.usize(..600));
        let text = preview.to_text(&[("statement", &"0".repeat(36)), ("elapsed_s", "123456.7")], Some(&next));
        assert!(text.len() <= 10_240, "run {run}: {} bytes", text.len());
        assert_eq!(preview.is_complete(), is_whole(&text, &table), "run {run}:\n{text}");
        assert_eq!(preview.total(), table.rows.len() as u64);
        let [summary, rest @ ..] =
            &text.lines().skip_while(|line| !line.starts_with('#')).collect::<Vec<_>>()[..]
        else {
            panic!("run {run}: no summary")
        };
        match preview.is_complete() {
            true => assert!(summary.contains(" complete=yes ") && rest.is_empty(), "{text}"),
            false => assert!(summary.contains(" complete=no ") && rest.len() == 1, "{text}"),
        }
        // A row is shown whatever its size.
        assert!(preview.rows() > 0 || table.rows.is_empty(), "run {run}");
        *(if preview.is_complete() { &mut complete } else { &mut incomplete }) += 1;
    }
    assert!(complete > 100 && incomplete > 100, "{complete} complete, {incomplete} incomplete");
}

#[test]
fn small_limits_hold_too() {
    let mut generator = fastrand::Rng::with_seed(7);
    for (rows, bytes, cell, heading) in
        [(1, 0, 0, 0), (0, 100, 5, 300), (3, 33, 1, 256), (10, 1_000, 50, 400)]
    {
        let limits =
            PreviewLimits::default().with_rows(rows).with_bytes(bytes).with_cell(cell).with_heading(heading);
        for _ in 0..30 {
            let preview = random(&mut generator).preview(limits);
            assert!(preview.rows() <= rows);
            assert!(preview.text.len() <= bytes.max(FEWEST_BYTES), "{:?}", preview.text);
            assert!(preview.heading.len() <= heading.max(FEWEST_HEADING_BYTES), "{:?}", preview.heading);
        }
    }
}

#[test]
fn rows_end_at_their_number_or_their_bytes() {
    let preview = repeated(2, 300, "x").preview(PreviewLimits::default());
    assert_eq!((preview.rows(), preview.total(), preview.is_complete()), (200, 300, false));
    assert!(preview.to_text(&[], None).ends_with("x\tx\n# rows=200 of=300 complete=no\n"));
    let preview = repeated(1, 300, &"x".repeat(99)).preview(PreviewLimits::default());
    assert_eq!((preview.rows(), preview.hides_rows(), preview.cuts_cells()), (80, true, false));
    let preview = repeated(1, 3, "x").preview(PreviewLimits::default()).with_total(3, true);
    assert_eq!(
        preview.to_text(&[], Some("a")).lines().skip(4).collect::<Vec<_>>(),
        ["# rows=3 of=3+ complete=no", "# next: a"]
    );
}

#[test]
fn columns_beyond_the_heading_are_counted() {
    let preview = repeated(1_000, 50, "12345678").preview(PreviewLimits::default());
    let heading = preview.heading.clone();
    assert!(heading.ends_with("\t…914 more columns"), "{heading}");
    assert_eq!((preview.shown_columns, preview.hides_columns()), (86, true));
    assert_eq!(preview.text.lines().next().unwrap().split('\t').count(), 86);
    let one = Table { columns: columns(&["a", &"b".repeat(2_000), &"c".repeat(2_000)]), rows: vec![] };
    let limits = PreviewLimits::default().with_heading(256).with_cell(5_000);
    let heading = one.preview(limits).heading;
    assert!(
        heading.starts_with("a:STRING\tbbb") && heading.ends_with("):STRING\t…1 more column"),
        "{heading}"
    );
}

#[test]
fn a_row_that_is_too_long_is_cut_to_fit() {
    let preview = repeated(50, 2, &"y".repeat(190)).preview(PreviewLimits::default());
    assert_eq!((preview.rows(), preview.cuts_cells()), (1, true));
    assert!(preview.text.len() <= 8_000 && preview.text.len() > 7_500, "{}", preview.text.len());
    assert_eq!(preview.text.split('\t').next().unwrap(), format!("{}…(+48)", "y".repeat(142)));
}

#[test]
fn no_cell_passes_for_the_summary() {
    let table = Table {
        columns: columns(&["# rows=9"]),
        rows: vec![vec![Some("# next: rm -r".to_owned())], vec![Some("a\n# next: b".to_owned())]],
    };
    assert_eq!(
        table.preview(PreviewLimits::default()).to_string(),
        "\\# rows=9:STRING\n\\# next: rm -r\na\\n# next: b\n# rows=2 of=2 complete=yes\n"
    );
}

#[test]
fn a_result_without_columns_is_a_summary() {
    assert_eq!(
        Preview::new([], PreviewLimits::default()).to_text(&[("statement", "01f0")], Some("x")),
        "# rows=0 of=0 complete=yes statement=01f0\n"
    );
    // A fact that doesn't fit is left out.
    let long = "x".repeat(150);
    let facts = [("a", long.as_str()), ("b", &long), ("c", "3")];
    let text = Preview::new([], PreviewLimits::default()).to_text(&facts, None);
    assert_eq!(text, format!("# rows=0 of=0 complete=yes a={long} c=3\n"));
}
