//! Nodes of a quadrature over a curve, in tiles of the plane: a point looks only at the tiles near it.

use crate::data::toy::quadrature::GAUSS;

/// The side of a tile in standard deviations of the noise that the nodes are placed for.
const TILE: f64 = 6.0;

#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The low corner of the node's square, or the node itself where the law has none.
    pub(super) corner: [f64; 2],
    pub(super) log_weight: f64,
}

impl Node {
    pub(super) fn new(corner: [f64; 2], weight: f64) -> Self {
        Self { corner, log_weight: weight.ln() }
    }
}

/// The nodes that are fine enough for noise of one standard deviation and above.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    pub(super) std: f64,
    side: f64,
    tiles: Vec<Tile>,
}

/// Nodes that lie in one tile, and a circle around their squares.
#[derive(Debug, Clone)]
struct Tile {
    nodes: Vec<Node>,
    middle: [f64; 2],
    radius: f64,
}

impl Tile {
    fn new(nodes: Vec<Node>, side: f64) -> Self {
        let middle = [0, 1].map(|axis| {
            let [low, high] = ends(nodes.iter().map(|node| node.corner[axis]));
            0.5 * (low + high + side)
        });
        let far = |node: &Node| [0, 1].map(|axis| (node.corner[axis] + 0.5 * side - middle[axis]).abs() + 0.5 * side);
        let radius = nodes.iter().map(far).map(|[x, y]| x.hypot(y)).fold(0.0, f64::max);
        Self { nodes, middle, radius }
    }

    /// A distance that no square of the tile is nearer than, squared.
    fn gap_squared(&self, x: &[f64]) -> f64 {
        let apart = (x[0] - self.middle[0]).powi(2) + (x[1] - self.middle[1]).powi(2);
        (apart.sqrt() - self.radius).max(0.0).powi(2)
    }
}

impl Nodes {
    /// Nodes for noise `std` and above, of squares with sides of `side`.
    pub(super) fn new(mut nodes: Vec<Node>, std: f64, side: f64) -> Self {
        let tile = |node: &Node| node.corner.map(|c| (c / (TILE * std)).floor() as i64);
        nodes.sort_by_key(tile);
        let tiles = nodes.chunk_by(|a, b| tile(a) == tile(b)).map(|nodes| Tile::new(nodes.to_vec(), side)).collect();
        Self { std, side, tiles }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Node> {
        self.tiles.iter().flat_map(|tile| &tile.nodes)
    }

    /// The squared distance from `x` to the square of a node.
    fn squared_distance(&self, node: &Node, x: &[f64]) -> f64 {
        let half = 0.5 * self.side;
        let gap = |axis: usize| ((x[axis] - node.corner[axis] - half).abs() - half).max(0.0);
        gap(0).powi(2) + gap(1).powi(2)
    }

    /// The squared distance from `x` to the nearest square.
    pub(super) fn nearest_squared(&self, x: &[f64]) -> f64 {
        let nearest = |best: f64, tile: &Tile| {
            tile.nodes.iter().map(|node| self.squared_distance(node, x)).fold(best, f64::min)
        };
        let gaps: Vec<f64> = self.tiles.iter().map(|tile| tile.gap_squared(x)).collect();
        // the tile that seems nearest first, so that few others are looked into
        let first = gaps.iter().zip(&self.tiles).min_by(|a, b| a.0.total_cmp(b.0));
        let best = first.map_or(f64::INFINITY, |(_, tile)| nearest(f64::INFINITY, tile));
        gaps.iter().zip(&self.tiles).fold(best, |best, (gap, tile)| if *gap < best { nearest(best, tile) } else { best })
    }

    /// The nodes whose squares are no farther than the root of `squared`.
    pub(super) fn within<'a>(&'a self, x: &'a [f64], squared: f64) -> impl Iterator<Item = &'a Node> {
        let tiles = self.tiles.iter().filter(move |tile| tile.gap_squared(x) <= squared);
        tiles.flat_map(|tile| &tile.nodes).filter(move |node| self.squared_distance(node, x) <= squared)
    }

    /// The box that holds the squares.
    pub(super) fn extent(&self) -> [[f64; 2]; 2] {
        [0, 1].map(|axis| {
            let [low, high] = ends(self.all().map(|node| node.corner[axis]));
            [low, high + self.side]
        })
    }
}

fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)])
}

/// Places and weights for an integral over [0, end]: panels of length `panel(start)`, six places each.
pub(super) fn quadrature(end: f64, panel: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let (mut places, mut low) = (Vec::new(), 0.0);
    while low < end {
        let high = (low + panel(low)).min(end);
        let half = 0.5 * (high - low);
        places.extend(GAUSS.iter().map(|(place, weight)| (low + half * (1.0 + place), weight * half)));
        low = high;
    }
    places
}
