//! What tests read in pages and figures.

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

/// A page or a figure.
pub(crate) fn parsed(html: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(html, options).unwrap_or_else(|e| panic!("{e} in {html}"))
}

/// The text of every element with this tag, in order.
pub(crate) fn texts(page: &Document<'_>, tag: &str) -> Vec<String> {
    let text = |n: Node<'_, '_>| n.descendants().filter_map(|d| d.text().filter(|_| d.is_text())).collect::<String>();
    page.descendants().filter(|n| n.has_tag_name(tag)).map(text).collect()
}

/// Fails if the page would load or run anything.
pub(crate) fn assert_self_contained(page: &Document<'_>) {
    for node in page.descendants() {
        let name = node.tag_name().name();
        assert!(!["script", "link", "iframe", "object", "embed", "base"].contains(&name), "{name}");
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && !value.contains("://"), "{name}={value}");
            assert!(name != "src" || value.starts_with("data:image/svg+xml;base64,"), "{value}");
        }
    }
    let style = texts(page, "style").concat();
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
}
