//! A scalar field on a regular grid of nodes over a rectangle of the plane.

use super::range::{Range, drawable};
use crate::error::{Error, Result};
use crate::points::Points;

/// Ranges whose widths differ by no more than this factor are drawn in equal units.
const ALIKE: f64 = 1.5;

/// A rectangle of the plane, in the units of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// The first coordinate.
    pub x: Range,
    /// The second coordinate.
    pub y: Range,
}

impl Extent {
    /// The rectangle that shows the first two coordinates of `points` well: all of them with a margin, except
    /// rare far outliers, and square where the two ranges are alike, so that circles are circles. With one
    /// coordinate, `y` is `0..=1`.
    pub fn around(points: &Points) -> Self {
        let column = |c: usize| points.rows().map(move |row| row.get(c).copied().unwrap_or(f64::NAN));
        let around = Self { x: Range::around(column(0)), y: Range::around(column(1)) };
        if points.dim() < 2 { around } else { around.squared() }
    }

    /// The smallest square around the rectangle, if its sides are alike; else the rectangle.
    pub(crate) fn squared(self) -> Self {
        let (narrow, wide) = (self.x.width().min(self.y.width()), self.x.width().max(self.y.width()));
        if wide > ALIKE * narrow {
            return self;
        }
        let square = |range: Range| range.padded(0.5 * (wide / range.width() - 1.0));
        Self { x: square(self.x), y: square(self.y) }
    }

    /// The nodes of a grid, edges included, `[rows · columns, 2]`: the points at which to evaluate a field for
    /// [`Grid::new`], in its order.
    pub fn nodes(&self, columns: usize, rows: usize) -> Points {
        let at =
            |range: Range, i: usize, count: usize| range.lo() + range.width() * i as f64 / (count.max(2) - 1) as f64;
        let place = |i: usize| [at(self.x, i % columns, columns), at(self.y, i / columns, rows)];
        Points::new(2, (0..columns * rows).flat_map(place).collect())
    }
}

/// Values at `columns × rows` nodes, edges of the extent included; row-major, the first row at the lowest y.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    extent: Extent,
    columns: usize,
    rows: usize,
    values: Vec<f64>,
}

impl Grid {
    /// A field from its values at [`Extent::nodes`].
    ///
    /// # Errors
    /// If there are fewer than 2 columns or rows, or not `columns · rows` values.
    pub fn new(extent: Extent, columns: usize, rows: usize, values: Vec<f64>) -> Result<Self> {
        if columns < 2 || rows < 2 || columns * rows != values.len() {
            let n = values.len();
            return Err(Error::input(format!("{n} values do not make a grid of {columns}x{rows} nodes (2x2 or more)")));
        }
        Ok(Self { extent, columns, rows, values })
    }

    /// Where the field lies.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Nodes in a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of nodes.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The value in column `column` (from the left) and row `row` (from the bottom).
    pub fn at(&self, column: usize, row: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// All values, row-major from the lowest row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The same grid with every value shifted so that the smallest drawable one is 0.
    pub(crate) fn above_minimum(&self) -> Self {
        let min = self.values.iter().copied().filter(|v| drawable(*v)).fold(f64::INFINITY, f64::min);
        let min = if min.is_finite() { min } else { 0.0 };
        Self { values: self.values.iter().map(|v| v - min).collect(), ..self.clone() }
    }

    /// The same grid with every value made another.
    pub(crate) fn mapped(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { values: self.values.iter().map(|v| f(*v)).collect(), ..self.clone() }
    }

    /// The field on another number of nodes (2 or more a side), bilinear between its own.
    pub(crate) fn resampled(&self, columns: usize, rows: usize) -> Self {
        let place = |i: usize, count: usize, own: usize| {
            let place = i as f64 * (own - 1) as f64 / (count - 1) as f64;
            let below = (place.floor() as usize).min(own - 2);
            [(below, 1.0 - (place - below as f64)), (below + 1, place - below as f64)]
        };
        let mut values = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let mut value = 0.0;
                for (r, weight_r) in place(row, rows, self.rows) {
                    for (c, weight_c) in place(column, columns, self.columns) {
                        // a neighbour without weight has no say, even if it is NaN
                        if weight_r * weight_c > 0.0 {
                            value += weight_r * weight_c * self.at(c, r);
                        }
                    }
                }
                values.push(value);
            }
        }
        Self { extent: self.extent, columns, rows, values }
    }

    /// The largest drawable value, 0 if there is none above.
    pub(crate) fn maximum(&self) -> f64 {
        self.values.iter().copied().filter(|v| drawable(*v)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_run_along_rows_from_the_lower_left_corner() {
        let extent = Extent { x: Range::new(0.0, 2.0), y: Range::new(-1.0, 1.0) };
        let nodes = extent.nodes(3, 2);
        assert_eq!(nodes.values(), [0.0, -1.0, 1.0, -1.0, 2.0, -1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
        let grid = Grid::new(extent, 3, 2, nodes.rows().map(|p| p[0] + 10.0 * p[1]).collect()).expect("3x2 values");
        assert_eq!(grid.at(2, 1), 12.0);
        assert!(Grid::new(extent, 3, 3, vec![0.0; 6]).is_err());
    }

    #[test]
    fn alike_ranges_become_a_square() {
        let around = |y: f64| Extent::around(&Points::new(2, vec![0.0, 0.0, 3.0, y]));
        assert!((around(4.0).x.width() - around(4.0).y.width()).abs() < 1e-12);
        assert!(around(40.0).y.width() > 10.0 * around(40.0).x.width());
    }

    #[test]
    fn a_plane_is_the_same_on_any_grid() {
        let extent = Extent { x: Range::new(0.0, 3.0), y: Range::new(0.0, 1.0) };
        let plane = |columns, rows| {
            let values = extent.nodes(columns, rows).rows().map(|p| 1.0 + p[0] - 2.0 * p[1]).collect();
            Grid::new(extent, columns, rows, values).expect("as many values as nodes")
        };
        let (got, want) = (plane(7, 5).resampled(4, 11), plane(4, 11));
        assert!(got.values().iter().zip(want.values()).all(|(a, b)| (a - b).abs() < 1e-12));
        let holed = Grid::new(extent, 2, 2, vec![0.0, f64::NAN, 2.0, 3.0]).expect("2x2 values").resampled(2, 3);
        assert_eq!((holed.at(0, 1), holed.at(1, 2)), (1.0, 3.0));
        assert!(holed.at(1, 1).is_nan());
    }
}
