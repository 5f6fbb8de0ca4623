//! Lines of equal value of a field: marching squares, with the segments joined into long lines.

use std::collections::{HashMap, HashSet};

use super::grid::Grid;
use super::range::{Range, drawable};
use super::ticks::nice_step;

/// A line in the units of the data; closed ones repeat their first point at the end.
pub(crate) type Polyline = Vec<(f64, f64)>;

/// An edge between neighbouring nodes: its lower-left node, and whether it goes up (or right).
type Edge = (usize, usize, bool);

/// Round levels strictly inside a range, about `target` of them.
pub(crate) fn levels(range: Range, target: usize) -> Vec<f64> {
    let step = nice_step(range.width(), target);
    let first = (range.lo() / step + 1e-6).floor() + 1.0;
    (0..=2 * target).map(|i| (first + i as f64) * step).take_while(|level| *level < range.hi() - 1e-6 * step).collect()
}

/// The lines on which the field equals `level`; cells with a NaN or infinite corner have none.
pub(crate) fn contour(grid: &Grid, level: f64) -> Vec<Polyline> {
    let mut segments: Vec<[Edge; 2]> = Vec::new();
    for row in 0..grid.rows() - 1 {
        for column in 0..grid.columns() - 1 {
            cell_segments(grid, column, row, level, &mut segments);
        }
    }
    joined(&segments)
        .into_iter()
        .map(|edges| edges.into_iter().map(|edge| crossing(grid, edge, level)).collect())
        .collect()
}

/// The line with as few of its points as keep it within `tolerance` of where it was (Douglas and Peucker 1973).
pub(crate) fn simplified(line: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let Some(last) = line.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![false; line.len()];
    (kept[0], kept[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let off = |i: &usize| distance(line[*i], line[from], line[to]);
        let farthest = (from + 1..to).max_by(|a, b| off(a).total_cmp(&off(b)));
        if let Some(farthest) = farthest.filter(|i| off(i) > tolerance) {
            kept[farthest] = true;
            open.extend([(from, farthest), (farthest, to)]);
        }
    }
    line.iter().zip(kept).filter_map(|(point, kept)| kept.then_some(*point)).collect()
}

/// From a point to the segment between two others.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (along, to) = ((b.0 - a.0, b.1 - a.1), (p.0 - a.0, p.1 - a.1));
    let length = along.0 * along.0 + along.1 * along.1;
    let place = if length > 0.0 { ((along.0 * to.0 + along.1 * to.1) / length).clamp(0.0, 1.0) } else { 0.0 };
    (to.0 - place * along.0).hypot(to.1 - place * along.1)
}

/// The segments of one cell: it separates the corners above `level` from the others.
fn cell_segments(grid: &Grid, c: usize, r: usize, level: f64, out: &mut Vec<[Edge; 2]>) {
    // Counter-clockwise from the lower left, with edge i between corners i and i + 1.
    let corners = [grid.at(c, r), grid.at(c + 1, r), grid.at(c + 1, r + 1), grid.at(c, r + 1)];
    if !corners.iter().all(|v| drawable(*v)) {
        return;
    }
    let above = corners.map(|v| v > level);
    let edges = [(c, r, false), (c + 1, r, true), (c, r + 1, false), (c, r, true)];
    let crossed: Vec<usize> = (0..4).filter(|i| above[*i] != above[(i + 1) % 4]).collect();
    match crossed[..] {
        [a, b] => out.push([edges[a], edges[b]]),
        [_, _, _, _] => {
            // A saddle: the mean of the corners says which diagonal pair is connected through the middle.
            let middle = corners.iter().sum::<f64>() / 4.0 > level;
            let cut = if middle == above[0] { [[0, 1], [2, 3]] } else { [[3, 0], [1, 2]] };
            out.extend(cut.map(|[a, b]| [edges[a], edges[b]]));
        }
        _ => {}
    }
}

/// Segments that share an edge become one line. An edge belongs to two cells at most, so lines never branch.
fn joined(segments: &[[Edge; 2]]) -> Vec<Vec<Edge>> {
    let mut links: HashMap<Edge, Vec<Edge>> = HashMap::new();
    for [a, b] in segments {
        links.entry(*a).or_default().push(*b);
        links.entry(*b).or_default().push(*a);
    }
    let neighbours = |edge: &Edge| links.get(edge).map_or(&[][..], Vec::as_slice);
    let mut seen: HashSet<Edge> = HashSet::new();
    let mut lines = Vec::new();
    // Open lines first, from their ends; what then remains is closed. Order of segments, so output is repeatable.
    let ends = segments.iter().flatten().filter(|edge| neighbours(edge).len() == 1);
    for start in ends.chain(segments.iter().flatten()) {
        if !seen.insert(*start) {
            continue;
        }
        let mut line = vec![*start];
        let mut here = *start;
        while let Some(next) = neighbours(&here).iter().find(|edge| !seen.contains(edge)) {
            here = *next;
            seen.insert(here);
            line.push(here);
        }
        if line.len() > 2 && neighbours(&here).contains(start) {
            line.push(*start);
        }
        lines.push(line);
    }
    lines
}

/// Where the level is crossed on an edge, by linear interpolation.
fn crossing(grid: &Grid, (column, row, up): Edge, level: f64) -> (f64, f64) {
    let (far_column, far_row) = if up { (column, row + 1) } else { (column + 1, row) };
    let (near, far) = (grid.at(column, row), grid.at(far_column, far_row));
    let t = ((level - near) / (far - near)).clamp(0.0, 1.0);
    let place = |range: Range, index: f64, count: usize| range.lo() + range.width() * index / (count - 1) as f64;
    let (dx, dy) = if up { (0.0, t) } else { (t, 0.0) };
    let extent = grid.extent();
    (place(extent.x, column as f64 + dx, grid.columns()), place(extent.y, row as f64 + dy, grid.rows()))
}

#[cfg(test)]
mod tests {
    use super::super::grid::Extent;
    use super::*;

    fn grid(columns: usize, rows: usize, f: impl Fn(f64, f64) -> f64) -> Grid {
        let extent = Extent { x: Range::new(-2.0, 2.0), y: Range::new(-2.0, 2.0) };
        let values = extent.nodes(columns, rows).rows().map(|p| f(p[0], p[1])).collect();
        Grid::new(extent, columns, rows, values).expect("as many values as nodes")
    }

    #[test]
    fn a_circle_is_one_closed_line_of_its_radius() {
        let (columns, rows) = (61, 47);
        let lines = contour(&grid(columns, rows, |x, y| x * x + y * y), 1.7);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // On an edge x² is off its chord by at most h²/4, so r² by as much, and r by h²/(8 r).
        let h: f64 = 4.0 / (rows - 1) as f64;
        let radius = 1.7f64.sqrt();
        let worst = lines[0].iter().map(|(x, y)| (x.hypot(*y) - radius).abs()).fold(0.0, f64::max);
        assert!(worst <= h * h / (8.0 * radius) * 1.01, "radius off by {worst}");
    }

    #[test]
    fn a_plane_is_one_open_line_and_saddles_do_not_branch() {
        let plane = contour(&grid(9, 9, |x, _| x), 0.3);
        assert_eq!((plane.len(), plane[0].len()), (1, 9));
        assert!(plane[0].iter().all(|(x, _)| (x - 0.3).abs() < 1e-12));
        assert_eq!(contour(&grid(10, 10, |x, y| x * y), 0.0).len(), 2);
    }

    #[test]
    fn the_middle_decides_a_saddle() {
        // Corners at (±2, ±2): `diagonal` where x = y, `other` where x = −y.
        let lines = |diagonal: f64, other: f64| contour(&grid(2, 2, |x, y| if x == y { diagonal } else { other }), 0.0);
        let cut_off = |line: &Polyline| line.iter().all(|(x, y)| x > y) || line.iter().all(|(x, y)| x < y);
        assert!(lines(3.0, -1.0).iter().all(cut_off) && lines(-3.0, 1.0).iter().all(cut_off));
        assert!(!lines(1.0, -3.0).iter().any(cut_off) && !lines(-1.0, 3.0).iter().any(cut_off));
    }

    #[test]
    fn holes_cut_lines_and_constants_have_none() {
        let holed = grid(21, 21, |x, y| if x > 1.0 { f64::NAN } else { x * x + y * y });
        let lines = contour(&holed, 1.7);
        assert_eq!(lines.len(), 1);
        assert_ne!(lines[0].first(), lines[0].last());
        assert!(contour(&grid(5, 5, |_, _| 1.0), 1.0).is_empty());
    }

    #[test]
    fn levels_are_round_and_inside() {
        assert_eq!(levels(Range::new(0.0, 12.0), 6), [2.0, 4.0, 6.0, 8.0, 10.0]);
    }

    #[test]
    fn a_line_keeps_its_corners_and_its_ends() {
        let bent: Vec<(f64, f64)> = (0..=20).map(|i| (f64::from(i), (f64::from(i) - 10.0).abs())).collect();
        assert_eq!(simplified(&bent, 0.1), [(0.0, 10.0), (10.0, 0.0), (20.0, 10.0)]);
        let circle: Vec<(f64, f64)> =
            (0..=400).map(|i| (f64::from(i) * std::f64::consts::TAU / 400.0).sin_cos()).collect();
        let few = simplified(&circle, 1e-3);
        assert!((70..=140).contains(&few.len()) && few.first() == circle.first(), "{} points", few.len());
        let off = |p: &(f64, f64)| few.windows(2).map(|w| distance(*p, w[0], w[1])).fold(f64::INFINITY, f64::min);
        assert!(circle.iter().all(|p| off(p) <= 1e-3));
        assert!(simplified(&[], 1.0).is_empty());
    }
}
