//! What the pages of all commands have in common: figures from their files, flags, and where it was computed.

use ebm_gpu::error::{Error, Result};
use ebm_gpu::report::{Figure, Page, Width};

use super::output::Folder;

/// The name of a page in its folder.
pub(super) const FILE: &str = "report.html";

/// A figure of this shape (across over down) has two panels side by side, which need the whole width of a page.
const WIDE: f64 = 1.6;

/// Adds those of the figures, by stem and caption, that the folder holds as SVG; no heading where there are none.
pub(super) fn figures(page: &mut Page, folder: &Folder, stems: &[(&str, String)]) -> Result<()> {
    let mut found = Vec::new();
    for (stem, caption) in stems {
        let path = folder.file(&format!("{stem}.svg"));
        match std::fs::read_to_string(&path) {
            Ok(svg) => {
                let figure = Figure { svg };
                let [across, down] = figure.size()?;
                found.push((figure, caption.clone(), if across > WIDE * down { Width::Full } else { Width::Half }));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::failed(format!("cannot read {}: {e}", path.display()))),
        }
    }
    if !found.is_empty() {
        page.section("Figures");
        page.figures(&found)?;
    }
    Ok(())
}

/// The flags in a file of them.
pub(super) fn flags(toml: &str) -> Result<Vec<(String, String)>> {
    let table: toml::Table =
        toml.parse().map_err(|e| Error::failed(format!("cannot read what was written as TOML: {e}")))?;
    let plain = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => {
            items.iter().map(|item| item.to_string().replace('"', "")).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    Ok(table.iter().map(|(name, value)| (format!("--{name}"), plain(value))).collect())
}

/// The program, the engine and the machine.
pub(super) fn environment(engine: &str, adapter: &str) -> Vec<(String, String)> {
    let threads = std::thread::available_parallelism().map_or("unknown".to_string(), |n| n.to_string());
    let machine = format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH);
    facts([
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("engine", engine.to_string()),
        ("adapter", adapter.to_string()),
        ("threads of the machine", threads),
        ("system", machine),
    ])
}

/// Names and values as a page takes them.
pub(super) fn facts<const N: usize>(facts: [(&str, String); N]) -> Vec<(String, String)> {
    facts.map(|(name, value)| (name.to_string(), value)).to_vec()
}
