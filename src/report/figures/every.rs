//! Every kind of figure, for what they have in common: text that can be read, and equal numbers below panels that share an axis.

use resvg::usvg::roxmltree::Document;

use super::super::svg::{SMALL, TINY};
use crate::data::ImageShape;
use crate::points::Points;
use crate::report::{
    Backdrop, Better, ChainsPanel, EnergyLine, EnergyPanel, Extent, Figure, Grid, ImageSheets, Lines, LossCurve,
    PanelCell, PanelRow, Panels, Range, ScorePanel, Series, Shading, StripPanel, Strips, Trace, energy_figure,
    energy_line_figure, image_figure, lines_figure, loss_figure, panels_figure, paths_figure, samples_figure,
    scaling_figure, score_figure, strips_figure,
};

/// What has no room anywhere, so that it is made smaller or cut.
const LONG: &str = "a name that is longer than its place on the page, whatever that place may be, by a word or by many";

fn points(dim: usize) -> Points {
    Points::new(dim, (0..60 * dim).map(|i| 3.0 * (1.7 * i as f64).sin()).collect())
}

fn bowl() -> Grid {
    let extent = Extent { x: Range::new(-3.0, 3.0), y: Range::new(-3.0, 3.0) };
    let values = extent.nodes(20, 20).rows().map(|p| p[0] * p[0] + p[1] * p[1]).collect();
    Grid::new(extent, 20, 20, values).expect("as many values as nodes")
}

fn strips(panels: &[StripPanel<'_>]) -> Figure {
    let rows = [LONG.to_string()];
    let strips = Strips { title: LONG, metric: "", better: Better::Lower, logarithmic: true, rows: &rows, panels };
    strips_figure(&strips).expect("values for each row")
}

fn strip(values: &[f64]) -> StripPanel<'_> {
    StripPanel { title: LONG, values: vec![values], best: vec![0], chance: None }
}

fn panels() -> Figure {
    let (plane, energy) = (points(2), bowl());
    let columns = vec![LONG.to_string(); 12];
    let cell = PanelCell { energy: Some(&energy), samples: Some(&plane), word: LONG };
    let lost = PanelCell { word: LONG, ..PanelCell::default() };
    let models = [vec![cell; 11], vec![lost]].concat();
    let row = PanelRow { label: LONG, extent: energy.extent(), data: cell, models };
    panels_figure(&Panels { title: LONG, columns: &columns, rows: &[row], shading: Shading::Energy }).expect("drawable")
}

/// Figures of the plane.
fn fields() -> Vec<(&'static str, Figure)> {
    let (plane, energy, names) = (points(2), bowl(), [LONG.to_string(), LONG.to_string()]);
    let of_energy = EnergyPanel { title: LONG, names: &names, energy: &energy, points: Some((LONG, &plane)) };
    let of_score = ScorePanel { title: LONG, names: &names, positions: &plane, scores: &plane, energy: Some(&energy) };
    let trace = Trace { steps: vec![0, 1], positions: vec![plane.clone(), plane.clone()] };
    let chains = ChainsPanel {
        title: LONG,
        names: &names,
        dim: 2,
        trace: &trace,
        extent: energy.extent(),
        backdrop: Backdrop::Energy(&energy),
        energy_name: LONG,
        marks: (&[], ""),
    };
    let shape = ImageShape { height: 1, width: 2, channels: 1 };
    let sheets =
        ImageSheets { title: LONG, shape, range: [-3.0, 3.0], data: Some(&plane), samples: &plane, model: LONG };
    vec![
        ("energy", energy_figure(&of_energy).expect("drawable")),
        ("score", score_figure(&of_score).expect("drawable")),
        ("paths", paths_figure(&chains).expect("drawable")),
        ("images", image_figure(&sheets).expect("drawable")),
        ("panels", panels()),
    ]
}

/// Figures of lines, of counts and of single values.
fn lines() -> Vec<(&'static str, Figure)> {
    let x = [1.0, 2.0, 3.0];
    let series = [Series { label: LONG, x: &x, y: &x }];
    let lines = Lines { title: LONG, x_label: LONG, y_label: LONG, series: &series };
    let line = points(1);
    let of_energy = EnergyLine { title: LONG, name: LONG, x: &x, energy: &x, points: Some((LONG, &line)) };
    let loss = LossCurve {
        title: LONG,
        loss_name: LONG,
        steps: &[1, 2, 3],
        loss: &x,
        smoothed: true,
        held_out: &[(1.0, 2.0)],
        floor: Some((LONG, 0.5)),
    };
    let mut all = vec![
        ("lines", lines_figure(&lines)),
        ("scaling", scaling_figure(&lines)),
        ("energy line", energy_line_figure(&of_energy)),
        ("loss", loss_figure(&loss)),
        ("strips", strips(&[strip(&[0.1, f64::NAN]), strip(&[])])),
    ];
    all.extend([1, 2, 3].map(|dim| ("samples", samples_figure(&points(dim), &points(dim), &[LONG.into()], LONG))));
    all
}

#[test]
fn no_text_is_too_small() {
    for (name, figure) in fields().into_iter().chain(lines()) {
        let page = Document::parse(&figure.svg).expect("XML");
        let texts = page.descendants().filter(|node| node.has_tag_name("text"));
        let size = |size: &str| size.parse::<f64>().expect("a number");
        let sizes: Vec<f64> = texts.map(|text| text.attribute("font-size").map_or(0.0, size)).collect();
        assert!(!sizes.is_empty() && sizes.iter().all(|size| *size >= TINY), "{name}: {sizes:?}");
    }
}

/// The numbers below each panel, and how far they are from the first of them.
fn numbers_below(figure: &Figure) -> Vec<(Vec<String>, Vec<f64>)> {
    let (page, size) = (Document::parse(&figure.svg).expect("XML"), SMALL.to_string());
    let mut all = Vec::new();
    for panel in page.descendants().filter(|node| node.attribute("class") == Some("panel")) {
        let (mut numbers, mut places) = (Vec::new(), Vec::new());
        for text in panel.descendants().filter(|node| node.attribute("font-size") == Some(size.as_str())) {
            let is_below = text.attribute("text-anchor") == Some("middle");
            if let (true, Some(number), Some(x)) = (is_below, text.text(), text.attribute("x")) {
                numbers.push(number.to_string());
                places.push(x.parse::<f64>().expect("a number"));
            }
        }
        let first = places.first().copied().unwrap_or_default();
        all.push((numbers, places.iter().map(|x| x - first).collect()));
    }
    all
}

#[test]
fn panels_that_share_an_axis_have_equal_numbers() {
    let strays = Points::new(2, vec![0.1, 0.2, 40.0, -70.0]);
    let figures = [
        ("samples", 2, samples_figure(&points(2), &strays, &[], "model")),
        ("strips", 3, strips(&[strip(&[0.1, 0.2]), strip(&[10.0]), strip(&[1.0])])),
    ];
    for (name, count, figure) in figures {
        let panels = numbers_below(&figure);
        assert_eq!(panels.len(), count, "{name}");
        let (numbers, places) = &panels[0];
        assert!(numbers.len() >= 3, "{name}: {numbers:?}");
        for (others, at) in &panels[1..] {
            assert_eq!(others, numbers, "{name}");
            // coordinates have two decimals
            assert!(at.iter().zip(places).all(|(a, b)| (a - b).abs() < 0.03), "{name}: {at:?} {places:?}");
        }
    }
}
