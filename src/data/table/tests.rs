//! What can be read, and the sentence for everything that cannot.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::data::testing::SplitMix64;
use rand::Rng;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A fresh file with these bytes and extension.
fn file(extension: &str, bytes: &[u8]) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("ebm-gpu-table-{}-{n}.{extension}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    path
}

fn read(extension: &str, text: &str, columns: &[&str]) -> Result<Table> {
    let path = file(extension, text.as_bytes());
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let table = read_table(&path, Part { columns: (!columns.is_empty()).then_some(&columns), ..Part::default() });
    fs::remove_file(path).unwrap();
    table
}

/// The error's sentence without the path, and its hint.
fn says(extension: &str, text: &str, columns: &[&str]) -> (String, Option<String>) {
    let error = read(extension, text, columns).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    let dir = std::env::temp_dir().display().to_string();
    let message = match message.split_once(&dir) {
        Some((before, after)) => {
            let name_end = after.find(&format!(".{extension}")).unwrap() + extension.len() + 1;
            format!("{before}FILE{}", &after[name_end..])
        }
        None => message,
    };
    (message, error.advice().map(str::to_owned))
}

#[test]
fn headers_comments_and_delimiters() {
    let table = read("csv", "# made by hand\nday,x,\"y, m\"\n\nMon,1,2.5\nTue,-3e2,4\n", &["y, m", "1"]).unwrap();
    assert_eq!(table.names, ["y, m", "x"]);
    assert_eq!(table.points.values(), [2.5, 1.0, 4.0, -300.0]);
    let table = read("csv", "\u{feff}1,2\r\n3,4\r\n", &[]).unwrap();
    assert_eq!((table.names.as_slice(), table.points.values()), (&["0".into(), "1".into()][..], &[1., 2., 3., 4.][..]));
    for (extension, text) in [("tsv", "a\tb\n1\t2\n3\t4"), ("txt", " 1.0  2\n3   4\n"), ("txt", "1;2\n3;4\n")] {
        assert_eq!(read(extension, text, &[]).unwrap().points.values(), [1., 2., 3., 4.], "{text:?}");
    }
}

/// As programs write them where numbers have a decimal comma.
#[test]
fn semicolons_and_decimal_commas() {
    for extension in ["csv", "txt"] {
        let table = read(extension, "a;b\n1,5;2\n-3;4,25\n1e3;,5\n", &[]).unwrap();
        assert_eq!(table.names, ["a", "b"]);
        assert_eq!(table.points.values(), [1.5, 2.0, -3.0, 4.25, 1000.0, 0.5]);
        let points = read(extension, "a;b\n1.5;2\n3;4.25\n", &[]).unwrap();
        assert_eq!(points.points.values(), [1.5, 2.0, 3.0, 4.25]);
        // what may be a thousand is not guessed at
        let (message, hint) = says(extension, "day;a\n1.1.;999,5\n2.1.;3\n3.1.;1.500\n", &["a"]);
        assert_eq!(message, "FILE has a decimal comma in line 2 and a point in line 4");
        assert!(hint.unwrap().contains("thousands"));
        let headless = read(extension, "1,5;2,5\n3;4\n", &[]).unwrap();
        assert_eq!((headless.names[0].as_str(), headless.points.values()), ("0", &[1.5, 2.5, 3.0, 4.0][..]));
        // a name with a semicolon is none of that
        let commas = read(extension, "a;x,b\n1,2\n3,4\n", &[]).unwrap();
        assert_eq!((commas.names[0].as_str(), commas.points.values()), ("a;x", &[1., 2., 3., 4.][..]));
    }
}

#[test]
fn packed_text_is_text() {
    use std::io::Write as _;
    let text = "a,b\n1,2\n3,4\n";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    for extension in ["csv.gz", "txt.GZ"] {
        let path = file(extension, &packed);
        assert_eq!(read_table(&path, Part::default()).unwrap(), read("csv", text, &[]).unwrap());
        fs::write(&path, &packed[..packed.len() - 9]).unwrap();
        let error = read_table(&path, Part::default()).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().starts_with("cannot read "), "{error}");
        fs::remove_file(path).unwrap();
    }
}

/// Rows that lack a chosen value go, whatever stands for it; other rows and columns do not.
#[test]
fn rows_with_gaps_are_left_out_where_that_is_wanted() {
    let text = "a,b,c\n1,2,x\n,4,x\n5,NaN,x\n7,8,\nn/a,9,x\n11,12,x\n";
    let kept = |path: &Path, columns: &[&str]| {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        let table = read_table(path, Part { columns: Some(&columns), drop_missing: true, ..Part::default() })?;
        Ok::<_, Error>((table.points.values().to_vec(), table.rows_read - table.points.count()))
    };
    let path = file("csv", text.as_bytes());
    assert_eq!(kept(&path, &["a", "b"]).unwrap(), (vec![1., 2., 7., 8., 11., 12.], 3));
    assert_eq!(kept(&path, &["b"]).unwrap(), (vec![2., 4., 8., 9., 12.], 1));
    assert!(kept(&path, &["c"]).unwrap_err().to_string().ends_with("line 2, column `c`: `x` is not a number"));
    // in the first line and the first column as anywhere
    fs::write(&path, "1,,3\n#N/A,2,4\n# a comment, with a comma\n-nan,3,5\n4,1.#IND,6\n5,6,7\n").unwrap();
    assert_eq!(kept(&path, &["0", "2"]).unwrap(), (vec![1., 3., 4., 6., 5., 7.], 2));
    fs::write(&path, "a,b\n1,2\n3,\ninf,4\n").unwrap();
    assert!(kept(&path, &["a"]).unwrap_err().to_string().contains("`inf` is not a finite number"));
    fs::write(&path, "a,b\n1,2\n3,\n,4\n").unwrap();
    let few = kept(&path, &["a", "b"]).unwrap_err().to_string();
    assert!(few.contains("a value is missing in 2 of 3 rows of ") && few.contains("at least 2 whole ones"), "{few}");
    fs::remove_file(path).unwrap();
    // arrays by rows and by columns
    let values = [1., 2., f64::NAN, 4., 5., 6., 7., f64::NAN, 9., 10.];
    let path = file("npy", b"");
    crate::data::npy::write_npy_f64(&path, &[5, 2], &values).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(kept(&path, &["0", "1"]).unwrap(), (vec![1., 2., 5., 6., 9., 10.], 2));
    assert_eq!(kept(&path, &["1"]).unwrap(), (vec![2., 4., 6., 10.], 1));
    let at = bytes.windows(5).position(|w| w == b"False").unwrap();
    let by_columns = [&bytes[..at], b"True ", &bytes[at + 5..]].concat();
    fs::write(&path, by_columns).unwrap();
    // columns (1, 2, NaN, 4, 5) and (6, 7, NaN, 9, 10)
    assert_eq!(kept(&path, &["0", "1"]).unwrap(), (vec![1., 6., 2., 7., 4., 9., 5., 10.], 1));
    assert!(read_table(&path, Part::default()).unwrap_err().advice().unwrap().contains("--drop-missing"));
    fs::remove_file(path).unwrap();
}

#[test]
fn arrays_are_tables_too() {
    let path = file("npy", b"");
    crate::data::npy::write_npy_f32(&path, &[3, 2], &[1., 2., 3., 4., 5., 6.]).unwrap();
    let table = read_table(&path, Part { columns: Some(&["1".to_owned()]), ..Part::default() }).unwrap();
    assert_eq!((table.names, table.points.values()), (vec!["1".to_owned()], &[2., 4., 6.][..]));
    crate::data::npy::write_npy_f32(&path, &[1, 3, 2], &[1., 2., 3., 4., 5., 6.]).unwrap();
    assert!(read_table(&path, Part::default()).unwrap_err().to_string().contains("shape [1, 3, 2], not [n, d] or [n]"));
    crate::data::npy::write_npy_f64(&path, &[2], &[1., f64::NAN]).unwrap();
    assert!(
        read_table(&path, Part::default())
            .unwrap_err()
            .to_string()
            .ends_with("row 1, column 0: NaN is not a finite number")
    );
    fs::remove_file(path).unwrap();
}

/// More values than are read at once, in rows that do not fit them, in both orders.
#[test]
fn arrays_come_in_pieces() {
    let (n, d) = (50_000, 3);
    let value = |row: usize, column: usize| (row * 7 + column) as f64;
    let by_rows: Vec<f64> = (0..n * d).map(|i| value(i / d, i % d)).collect();
    let by_columns: Vec<f64> = (0..n * d).map(|i| value(i % n, i / n)).collect();
    let path = file("npy", b"");
    let columns = ["2".to_owned(), "0".to_owned()];
    for (order, values) in [("False", by_rows), ("True", by_columns)] {
        crate::data::npy::write_npy_f64(&path, &[n, d], &values).unwrap();
        let bytes = fs::read(&path).unwrap();
        let at = bytes.windows(5).position(|w| w == b"False").unwrap();
        // one space less keeps the length
        let header = [&bytes[..at], format!("{order:<5}").as_bytes(), &bytes[at + 5..]].concat();
        fs::write(&path, &header).unwrap();
        let all = read_table(&path, Part::default()).unwrap().points;
        assert!(all.rows().enumerate().all(|(i, x)| x == [value(i, 0), value(i, 1), value(i, 2)]), "{order}");
        let some = read_table(&path, Part { columns: Some(&columns), ..Part::default() }).unwrap().points;
        assert!(some.rows().enumerate().all(|(i, x)| x == [value(i, 2), value(i, 0)]), "{order}");
        assert_eq!((all.count(), some.count()), (n, n));
        let mut spoilt = header.clone();
        let end = spoilt.len();
        spoilt[end - 8..].copy_from_slice(&f64::NAN.to_le_bytes());
        fs::write(&path, &spoilt).unwrap();
        let says = read_table(&path, Part::default()).unwrap_err().to_string();
        assert!(says.ends_with("row 49999, column 2: NaN is not a finite number"), "{says}");
        // what is left out may be anything
        assert!(read_table(&path, Part { columns: Some(&columns[1..]), ..Part::default() }).is_ok());
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn every_mistake_has_its_sentence() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("", &[], "FILE is empty"),
        ("\n# nothing\n", &[], "FILE holds only empty lines and comments"),
        ("x,y\n", &[], "FILE holds a header and no rows"),
        ("x,y\n1,2\n", &[], "FILE holds one row of numbers, at least 2 are needed"),
        ("x,y\n1,2\n# c\n3\n", &[], "FILE, line 4 has 1 cell, line 1 has 2"),
        ("x,y\n1,2\n3,oak\n", &[], "FILE, line 3, column `y`: `oak` is not a number"),
        ("x,y\n1,2\n3,\n", &[], "FILE, line 3, column `y`: the cell is empty"),
        ("x,y\n1,NaN\n3,4\n", &[], "FILE, line 2, column `y`: `NaN` is not a finite number"),
        ("1,2\n3,1e999\n", &[], "FILE, line 2, column `1`: `1e999` is not a finite number"),
        ("x,y\n1,2\n3,4\n", &["x", "0"], "column `x` of FILE was chosen twice"),
        ("x,x\n1,2\n3,4\n", &["x"], "columns 0 and 1 of FILE are both called `x`"),
        ("x,y\n1,2\n3,4\n", &["2"], "there is no column 2 in FILE: it has 2, counted from 0"),
        ("x,y\n1,7\n2,7\n3,7\n", &[], "column `y` of FILE is 7 in all 3 rows: it has no density"),
    ];
    for (text, columns, sentence) in cases {
        assert_eq!(says("csv", text, columns).0, *sentence, "{text:?}");
    }
    // each of them is written as six characters
    let nul = "\0".repeat(200);
    assert!(says("csv", &format!("x,{nul}\n1,2\n3,oak\n"), &[]).0.len() < 600);
    assert_eq!(
        says("parquet", "1", &[]).0,
        "FILE has none of the extensions csv, tsv, txt, npy, npz, idx, and .gz of text and idx"
    );
}

#[test]
fn quotes_close_on_their_line() {
    let hint = "it ends on its line, and a quote inside of it is written twice";
    let open = [
        ("csv", "x,y\n1,\"2\n3,4\n", 2),
        ("csv", "x,y\n1,2\n\"3,4\n", 3),
        ("csv", "x,\"y\n1,2\n3,4\n", 1),
        // the quote at the end is one inside of the cell
        ("csv", "x,y\n1,\"2\"\"\n3,4\n", 2),
        ("tsv", "x\ty\n1\t\"\n3\t4\n", 2),
    ];
    for (extension, text, line) in open {
        let (message, advice) = says(extension, text, &[]);
        assert_eq!(message, format!("FILE, line {line}: a quoted cell does not end"), "{text:?}");
        assert_eq!(advice.as_deref(), Some(hint));
    }
    // quotes that are no cell's first character are text
    let table = read("csv", "size,x,y\n\"5\"\" pipe, new\",\"1\",\" 2 \"\n6\" pipe,3,\"4\"\n", &["x", "y"]).unwrap();
    assert_eq!(table.points.values(), [1.0, 2.0, 3.0, 4.0]);
    // an empty last cell stays one
    assert_eq!(says("csv", "\"x\",y\n\"1\",\n2,3\n", &[]).0, "FILE, line 2, column `y`: the cell is empty");
}

#[test]
fn hints_name_the_nearest_column_and_the_numeric_ones() {
    let (message, hint) = says("csv", "sp500,nasdaq\n1,2\n3,4\n", &["nasdq"]);
    assert_eq!(message, "there is no column `nasdq` in FILE");
    assert_eq!(hint.unwrap(), "did you mean `nasdaq`? The columns are: sp500, nasdaq");
    let (_, hint) = says("csv", "date,sp500,nasdaq\n1999-01-05,1,2\n1999-01-06,3,4\n", &[]);
    assert_eq!(hint.unwrap(), "--columns sp500,nasdaq takes those with numbers on this line");
}

#[test]
fn what_is_not_a_text_file() {
    let missing = std::env::temp_dir().join("ebm-gpu-no-such.csv");
    assert!(read_table(&missing, Part::default()).unwrap_err().to_string().starts_with("there is no file"));
    let directory = std::env::temp_dir().join("ebm-gpu-directory.csv");
    fs::create_dir_all(&directory).unwrap();
    assert!(
        read_table(&directory, Part::default()).unwrap_err().to_string().ends_with("is a directory without .png files")
    );
    let latin = file("csv", b"x,y\n1,2\n3,\xe9\n");
    assert!(read_table(&latin, Part::default()).unwrap_err().to_string().ends_with("line 3 is not UTF-8 text"));
    fs::remove_file(latin).unwrap();
    fs::remove_dir(directory).unwrap();
}

#[test]
fn no_text_panics() {
    let mut rng = SplitMix64(5);
    let letters = b"1,2\n.-e\"#\t; aNn\r\xc3";
    for round in 0..3000 {
        let length = (rng.next_u64() % 40) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| letters[(rng.next_u64() % letters.len() as u64) as usize]).collect();
        let path = file(["csv", "tsv", "txt"][round % 3], &bytes);
        let _ = read_table(&path, Part::default());
        fs::remove_file(path).unwrap();
    }
}
