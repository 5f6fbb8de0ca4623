//! Pages: one HTML file that holds its style and its figures, runs no script and loads nothing.
//!
//! The markup is XML too, so that an XML parser can check it. All text that goes in is escaped here.

use std::fmt::Write as _;

use super::markup::{data_uri, escaped};
use super::quantity::quantity;
use super::raster::Figure;
use crate::error::Result;

const STYLE: &str = include_str!("page.css");
/// Forbids, in the file itself, whatever would be loaded or run.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A page under construction: headings, facts, tables, figures, in the order in which they are added.
#[derive(Debug)]
pub struct Page {
    title: String,
    body: String,
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    is_number: bool,
}

/// How a cell stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Not at all.
    #[default]
    Plain,
    /// The best of its kind, in bold.
    Best,
    /// It lies where it has to.
    Pass,
    /// It does not.
    Fail,
}

/// A cell of a [`Table`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    text: String,
    note: String,
    standing: Standing,
    link: Option<String>,
}

/// Rows under named columns; the first cell of a row names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// How much room a figure is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Beside another one, where the page is wide enough.
    Half,
    /// The page's.
    Full,
}

impl Column {
    /// A column of words.
    pub fn words(name: &str) -> Self {
        Self { name: name.into(), is_number: false }
    }

    /// A column of numbers, aligned on the right.
    pub fn numbers(name: &str) -> Self {
        Self { name: name.into(), is_number: true }
    }

    fn class(&self) -> &'static str {
        if self.is_number { " class=\"number\"" } else { "" }
    }
}

impl Cell {
    /// Words, or a number that is written already.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number with four significant digits; a dash for none.
    pub fn number(value: Option<f64>) -> Self {
        Self::text(value.map_or("–".to_string(), |value| quantity(value, 4)))
    }

    /// With a line in small print below.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Standing out.
    #[must_use]
    pub fn standing(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }

    /// Leading to a file: its path from the folder of the page, parts joined by `/`.
    #[must_use]
    pub fn linked(self, path: &str) -> Self {
        Self { link: Some(relative_address(path)), ..self }
    }

    fn markup(&self) -> String {
        let mut text = escaped(&self.text);
        if let Some(link) = &self.link {
            text = format!("<a href=\"{link}\">{text}</a>");
        }
        let class = match self.standing {
            Standing::Plain => None,
            Standing::Best => Some("best"),
            Standing::Pass => Some("pass"),
            Standing::Fail => Some("fail"),
        };
        if let Some(class) = class {
            text = format!("<span class=\"{class}\">{text}</span>");
        }
        if !self.note.is_empty() {
            let _ = write!(text, "<span class=\"note\">{}</span>", escaped(&self.note));
        }
        text
    }
}

impl Table {
    /// A table without rows; the caption may be empty.
    pub fn new(caption: &str, columns: Vec<Column>) -> Self {
        Self { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// Adds a row, a cell a column; what is missing at its end stays empty, what is too much is left out.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }
}

impl Page {
    /// An empty page.
    pub fn new(title: &str) -> Self {
        Self { title: title.into(), body: String::new() }
    }

    /// One sentence in larger print.
    pub fn lead(&mut self, text: &str) {
        self.element("p", " class=\"lead\"", text);
    }

    /// A heading.
    pub fn section(&mut self, heading: &str) {
        self.element("h2", "", heading);
    }

    /// Running text.
    pub fn paragraph(&mut self, text: &str) {
        self.element("p", "", text);
    }

    /// Sentences that must not be overlooked; nothing for none.
    pub fn warnings(&mut self, sentences: &[String]) {
        if !sentences.is_empty() {
            self.body.push_str("<div class=\"warnings\" role=\"note\">\n");
            sentences.iter().for_each(|sentence| self.element("p", "", sentence));
            self.body.push_str("</div>\n");
        }
    }

    /// Names with short values, in as many columns as fit.
    pub fn facts(&mut self, facts: &[(String, String)]) {
        self.list("facts", facts);
    }

    /// Names with sentences.
    pub fn definitions(&mut self, definitions: &[(String, String)]) {
        self.list("facts long", definitions);
    }

    fn list(&mut self, class: &str, facts: &[(String, String)]) {
        let _ = writeln!(self.body, "<dl class=\"{class}\">");
        for (name, value) in facts {
            let _ = writeln!(self.body, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
        }
        self.body.push_str("</dl>\n");
    }

    /// A table; it scrolls by itself where it is wider than the page.
    pub fn table(&mut self, table: &Table) {
        let body = &mut self.body;
        body.push_str("<div class=\"wide\" tabindex=\"0\"><table>\n");
        if !table.caption.is_empty() {
            let _ = writeln!(body, "<caption>{}</caption>", escaped(&table.caption));
        }
        body.push_str("<thead><tr>");
        for column in &table.columns {
            let _ = write!(body, "<th scope=\"col\"{}>{}</th>", column.class(), escaped(&column.name));
        }
        body.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            body.push_str("<tr>");
            for (i, column) in table.columns.iter().enumerate() {
                let (class, text) = (column.class(), row.get(i).map(Cell::markup).unwrap_or_default());
                let _ = match i {
                    0 => write!(body, "<th scope=\"row\"{class}>{text}</th>"),
                    _ => write!(body, "<td{class}>{text}</td>"),
                };
            }
            body.push_str("</tr>\n");
        }
        body.push_str("</tbody>\n</table></div>\n");
    }

    /// Figures with their captions. Each is a picture of its own, so that their names and styles cannot clash.
    ///
    /// # Errors
    /// If a figure is not SVG.
    pub fn figures(&mut self, figures: &[(Figure, String, Width)]) -> Result<()> {
        self.body.push_str("<div class=\"figures\">\n");
        for (figure, caption, width) in figures {
            let class = if *width == Width::Full { " class=\"full\"" } else { "" };
            let ([across, down], caption) = (figure.size()?, escaped(caption));
            let picture = data_uri("image/svg+xml", figure.svg.as_bytes());
            // never blown up to more than a quarter above its size, where its text would look clumsy
            let _ = writeln!(
                self.body,
                "<figure{class}><img alt=\"{caption}\" width=\"{across}\" height=\"{down}\" style=\"max-width:{:.0}px\" \
                 src=\"{picture}\"/><figcaption>{caption}</figcaption></figure>",
                1.25 * across
            );
        }
        self.body.push_str("</div>\n");
        Ok(())
    }

    fn element(&mut self, name: &str, attributes: &str, text: &str) {
        let _ = writeln!(self.body, "<{name}{attributes}>{}</{name}>", escaped(text));
    }

    /// The whole file.
    pub fn finish(self) -> String {
        let (title, body) = (escaped(&self.title), self.body);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n\
             </body>\n</html>\n"
        )
    }
}

/// A path as an address that can only lead to a file beside the page, whatever its name: bytes with a meaning are coded
/// (RFC 3986), and `./` keeps a colon from making a scheme of the first part.
fn relative_address(path: &str) -> String {
    let mut out = String::from("./");
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::{Document, ParsingOptions};

    use super::*;

    const NASTY: &str = "a<b>&\"c'\u{7}</title><script>alert(1)</script>";

    fn parsed(html: &str) -> Document<'_> {
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        Document::parse_with_options(html, options).unwrap_or_else(|e| panic!("{e} in {html}"))
    }

    fn full_page(text: &str) -> String {
        let mut page = Page::new(text);
        page.lead(text);
        page.warnings(&[text.into()]);
        page.section(text);
        page.paragraph(text);
        page.facts(&[(text.into(), text.into())]);
        page.definitions(&[(text.into(), text.into())]);
        let mut table = Table::new(text, vec![Column::words(text), Column::numbers(text), Column::words("c")]);
        let best = Cell::text(text).noted(text).standing(Standing::Best).linked(text);
        table.row(vec![Cell::text(text), best]);
        page.table(&table);
        let svg =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\"><g id=\"clip1\"/></svg>".to_string();
        let figures = [Width::Half, Width::Full].map(|width| (Figure { svg: svg.clone() }, text.to_string(), width));
        page.figures(&figures).expect("SVG");
        page.finish()
    }

    #[test]
    fn foreign_text_stays_text() {
        let html = full_page(NASTY);
        let page = parsed(&html);
        assert!(!page.descendants().any(|n| n.has_tag_name("script")), "{html}");
        let want = NASTY.replace('\u{7}', "");
        for tag in ["title", "h1", "h2", "p", "dt", "dd", "caption", "th", "a", "figcaption"] {
            let node = page.descendants().find(|n| n.has_tag_name(tag)).unwrap_or_else(|| panic!("no {tag}"));
            assert_eq!(node.text(), Some(want.as_str()), "{tag}");
        }
        let picture = page.descendants().find(|n| n.has_tag_name("img")).expect("a picture");
        assert_eq!(picture.attribute("alt"), Some(want.as_str()));
        // as many cells as columns, whatever the row has
        assert_eq!(page.descendants().filter(|n| n.has_tag_name("td")).count(), 2);
    }

    #[test]
    fn nothing_is_loaded_and_nothing_runs() {
        let html = full_page("text");
        for node in parsed(&html).descendants() {
            let name = node.tag_name().name();
            assert!(!["script", "link", "iframe", "object", "embed"].contains(&name), "{name}");
            for attribute in node.attributes() {
                let value = attribute.value();
                assert!(!attribute.name().starts_with("on") && !value.contains("//"), "{value}");
                assert!(attribute.name() != "src" || value.starts_with("data:image/svg+xml;base64,"), "{value}");
            }
        }
        assert!(html.contains("default-src 'none'") && !html.contains("http:") && !html.contains("https:"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn figures_cannot_share_names() {
        let html = full_page("text");
        assert_eq!(html.matches("<img ").count(), 2);
        assert!(!html.contains("<svg") && !html.contains("clip1"));
    }

    #[test]
    fn links_stay_in_the_folder() {
        assert_eq!(relative_address("dsm-moons/report.html"), "./dsm-moons/report.html");
        assert_eq!(relative_address("javascript:alert(1)"), "./javascript%3Aalert%281%29");
        assert_eq!(relative_address("//host/σ\""), "./host/%CF%83%22");
    }
}
