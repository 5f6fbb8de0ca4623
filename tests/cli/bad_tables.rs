//! Data files that cannot be trained on: the line, the column and the numbers are named.

use crate::program::{Folder, TINY};

fn refused(folder: &Folder, name: &str, content: &[u8], words: &[&str]) -> Option<String> {
    folder.write(name, content);
    let args = format!("{TINY} --data {name}");
    folder.refused(&args.split_whitespace().collect::<Vec<_>>(), words).err()
}

#[test]
fn tables_that_are_broken() {
    let folder = Folder::new();
    let cases: &[(&str, &str, &[&str])] = &[
        ("empty.csv", "", &["empty.csv is empty"]),
        ("blank.csv", "\n# nothing\n\n", &["blank.csv", "empty lines and comments"]),
        ("header.csv", "a,b\n", &["header.csv", "header and no rows"]),
        ("short.csv", "a,b\n1,2\n3\n4,5\n", &["short.csv, line 3", "1 cell", "line 1 has 2"]),
        ("long.csv", "a,b\n1,2\n3,4\n4,5,6\n", &["long.csv, line 4 has 3 cells", "line 1 has 2"]),
        (
            "text.csv",
            "a,b\n1,2\n3,x\n4,5\n",
            &["text.csv, line 3, column `b`", "`x` is not a number", "hint", "--columns a takes"],
        ),
        (
            "gap.csv",
            "a,b\n1,2\n,4\n4,5\n",
            &[
                "gap.csv, line 3, column `a`",
                "the cell is empty",
                "hint: a value is missing: mend line 3, or --drop-missing leaves",
            ],
        ),
        (
            "nan.csv",
            "a,b\n1,2\n3,4\n5,NaN\n",
            &[
                "nan.csv, line 4, column `b`",
                "`NaN` is not a finite number",
                "hint: a value is missing: mend line 4, or --drop-missing leaves",
            ],
        ),
        (
            "codes.csv",
            "a,b\n1,2\n3,NA\n5,6\n",
            &["codes.csv, line 3, column `b`", "`NA` is not a number", "hint: a value is missing: mend line 3"],
        ),
        ("inf.csv", "a,b\n1,2\n-inf,4\n", &["inf.csv, line 3, column `a`", "`-inf` is not a finite number"]),
        ("big.csv", "a,b\n1,2\n1e999,4\n", &["big.csv, line 3, column `a`", "`1e999` is not a finite number"]),
        ("one.csv", "a,b\n1,2\n", &["one.csv", "one row", "at least 2"]),
        ("flat.csv", "a,b\n1,2\n3,2\n4,2\n", &["column `b` of flat.csv is 2 in all 3 rows", "hint"]),
        ("huge.csv", "a,b\n1,2\n2,1e300\n3,4\n", &["huge.csv, row 1, column `b`", "1e300", "hint"]),
        ("semicolons.tsv", "a;b\n1;2\n3;4\n", &["`1;2` is not a number", "hint: found `;`", "tabs in .tsv"]),
        (
            "mixed.csv",
            "a;b,c\n1,5;2\n3;4\n",
            &["line 2, column `c`: `5;2` is not a number", "found `;`", "decimal point"],
        ),
        ("thousands.csv", "a;b\n1.500,5;2\n3;4\n", &["line 2, column `a`: `1.500,5` is not a number"]),
        ("lists.csv", "a;b\n1,2,3;2\n3;4\n", &["line 2, column `a`: `1,2,3` is not a number"]),
        ("dated.csv", "day;a\n2.1.;2,5\n3.1.;4\n", &["dated.csv, line 2, column `day`: `2.1.` is not a number"]),
        ("decimals.csv", "a\n1,5\n2,5\n", &["line 2 has 2 cells, line 1 has 1", "hint: ", "decimal point"]),
        ("quoted.csv", "a,b\n\"1,5\",2\n3,4\n", &["`1,5` is not a number", "found a comma", "decimal point"]),
        ("tabs.csv", "a\tb\n1\t2\n3\t4\n", &["tabs.csv, line 2", "is not a number", "found a tab", "commas in .csv"]),
        ("short.tsv", "a\tb\n1\t2\n3\n4\t5\n", &["short.tsv, line 3", "1 cell", "line 1 has 2"]),
        ("long.tsv", "a\tb\n1\t2\n3\t4\t5\n", &["long.tsv, line 3 has 3 cells", "line 1 has 2"]),
        (
            "text.tsv",
            "a\tb\n1\t2\n3\tx\n",
            &["text.tsv, line 3, column `b`", "`x` is not a number", "--columns a takes"],
        ),
        ("gap.tsv", "a\tb\n1\t2\n\t4\n", &["gap.tsv, line 3, column `a`", "the cell is empty"]),
        ("nan.tsv", "a\tb\n1\t2\n3\tNaN\n", &["nan.tsv, line 3, column `b`", "`NaN` is not a finite number"]),
        (
            "commas.tsv",
            "a,b\n1,2\n3,4\n",
            &["commas.tsv, line 2, column `a,b`", "`1,2` is not a number", "found a comma", "tabs in .tsv"],
        ),
        ("quote.csv", "a,b\n1,2\n\"3,4\n", &["quote.csv, line 3"]),
        ("some.dat", "1 2\n3 4\n", &["some.dat", "csv, tsv, txt, npy, npz, idx, and .gz of text and idx"]),
    ];
    let problems: Vec<_> =
        cases.iter().filter_map(|(name, content, words)| refused(&folder, name, content.as_bytes(), words)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(
        folder.run(&format!("{TINY} --data text.csv")).stderr,
        "error: text.csv, line 3, column `b`: `x` is not a number\nhint: --columns a takes those with numbers on this line\n"
    );
    assert_eq!(
        folder.run(&format!("{TINY} --data tabs.csv")).stderr,
        "error: tabs.csv, line 2, column `a\\tb`: `1\\t2` is not a number\n\
         hint: found a tab beside a number: cells are separated by commas in .csv, where numbers have a decimal point, or by \
         semicolons, where they may have a decimal comma, and by tabs in .tsv\n"
    );
}

#[test]
fn files_that_hold_no_text() {
    let folder = Folder::new();
    let problem = refused(&folder, "latin.csv", b"a,b\n1,2\n3,\xe9\n", &["latin.csv, line 3", "UTF-8"]);
    assert_eq!(problem, None);
    folder.all_refused(
        TINY,
        &[
            ("--data none.csv", &["there is no file none.csv"]),
            ("--data none/none.npy", &["there is no file none/none.npy"]),
        ],
    );
    std::fs::create_dir(folder.path("tables")).unwrap();
    folder.all_refused(TINY, &[("--data tables", &["tables is a directory"]), ("--data .", &[". is a directory"])]);
}

/// An .npy file with this header text and data.
pub(crate) fn npy_bytes(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

#[test]
fn arrays_that_are_broken() {
    let folder = Folder::new();
    let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let six = f32s(&[1.0, 2.0, 3.0, 5.0, 4.0, 6.0]);
    let good = npy_bytes("<f4", "(3, 2)", &six);
    let cut = |at: usize| good[..at].to_vec();
    let nan = npy_bytes("<f4", "(3, 2)", &f32s(&[1.0, 2.0, 3.0, f32::NAN, 4.0, 6.0]));
    let cases: &[(&str, Vec<u8>, &[&str])] = &[
        ("empty.npy", Vec::new(), &["empty.npy is empty"]),
        ("magic.npy", cut(5), &["magic.npy", "5 bytes"]),
        ("head.npy", cut(70), &["head.npy", "70 bytes"]),
        ("data.npy", cut(good.len() - 1), &["data.npy", "[3, 2]", "23 bytes"]),
        ("text.npy", b"a,b\n1,2\n".to_vec(), &["text.npy", "magic bytes"]),
        ("complex.npy", npy_bytes("<c8", "(3, 1)", &six), &["complex.npy", "`<c8`", "astype('float32')"]),
        ("cube.npy", npy_bytes("<f4", "(3, 1, 2)", &six), &["cube.npy", "[3, 1, 2]", "[n, d]"]),
        ("scalar.npy", npy_bytes("<f4", "()", &six[..4]), &["scalar.npy", "[]"]),
        ("none.npy", npy_bytes("<f4", "(0, 2)", &[]), &["none.npy", "no row"]),
        ("one.npy", npy_bytes("<f4", "(1, 2)", &six[..8]), &["one.npy", "one row"]),
        ("huge.npy", npy_bytes("<f4", "(4611686018427387904, 4)", &six), &["huge.npy", "4611686018427387904"]),
        ("nan.npy", nan, &["nan.npy, row 1, column 1", "NaN"]),
    ];
    let problems: Vec<_> =
        cases.iter().filter_map(|(name, content, words)| refused(&folder, name, content, words)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // the array that these are broken copies of is fine
    folder.write("good.npy", &good);
    folder.done(&format!("{TINY} --data good.npy"));
}
