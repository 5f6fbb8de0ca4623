//! Nodes of a quadrature over a curve, in boxes within boxes: a point looks only at what lies near it.

use crate::data::toy::quadrature::GAUSS;

/// A box with more nodes than this is cut in two.
const LEAF: usize = 12;

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

    /// The squared distance from `x` to the node's square.
    fn squared_distance(&self, x: &[f64], side: f64) -> f64 {
        let half = 0.5 * side;
        let gap = |axis: usize| ((x[axis] - self.corner[axis] - half).abs() - half).max(0.0);
        gap(0).powi(2) + gap(1).powi(2)
    }
}

/// The nodes that are fine enough for noise of one standard deviation and above.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    pub(super) std: f64,
    side: f64,
    root: Tile,
}

/// A box that holds the squares of some nodes.
#[derive(Debug, Clone)]
struct Tile {
    extent: [[f64; 2]; 2],
    inside: Inside,
}

#[derive(Debug, Clone)]
enum Inside {
    Nodes(Vec<Node>),
    Halves(Box<[Tile; 2]>),
}

impl Tile {
    fn new(nodes: &mut [Node], side: f64) -> Self {
        let extent = [0, 1].map(|axis| {
            let ends = |[low, high]: [f64; 2], node: &Node| [low.min(node.corner[axis]), high.max(node.corner[axis])];
            let [low, high] = nodes.iter().fold([f64::INFINITY, f64::NEG_INFINITY], ends);
            [low, high + side]
        });
        if nodes.len() <= LEAF {
            return Self { extent, inside: Inside::Nodes(nodes.to_vec()) };
        }
        let [width, height] = extent.map(|[low, high]| high - low);
        let axis = usize::from(height > width);
        let middle = nodes.len() / 2;
        nodes.select_nth_unstable_by(middle, |a, b| a.corner[axis].total_cmp(&b.corner[axis]));
        let (low, high) = nodes.split_at_mut(middle);
        Self { extent, inside: Inside::Halves(Box::new([Self::new(low, side), Self::new(high, side)])) }
    }

    /// The squared distance from `x` to the box.
    fn squared_distance(&self, x: &[f64]) -> f64 {
        let gap = |axis: usize| (self.extent[axis][0] - x[axis]).max(x[axis] - self.extent[axis][1]).max(0.0);
        gap(0).powi(2) + gap(1).powi(2)
    }

    /// The least of `best` and the squared distances to the squares within.
    fn nearest(&self, x: &[f64], side: f64, best: f64) -> f64 {
        match &self.inside {
            Inside::Nodes(nodes) => nodes.iter().map(|node| node.squared_distance(x, side)).fold(best, f64::min),
            Inside::Halves(halves) => {
                let gaps = [0, 1].map(|k| halves[k].squared_distance(x));
                let order = if gaps[1] < gaps[0] { [1, 0] } else { [0, 1] };
                let look = |best: f64, k: usize| if gaps[k] < best { halves[k].nearest(x, side, best) } else { best };
                order.into_iter().fold(best, look)
            }
        }
    }

    fn visit(&self, x: &[f64], side: f64, limit: f64, each: &mut impl FnMut(&Node, f64)) {
        if self.squared_distance(x) > limit {
            return;
        }
        match &self.inside {
            Inside::Nodes(nodes) => {
                let near = nodes.iter().map(|node| (node, node.squared_distance(x, side)));
                near.filter(|(_, squared)| *squared <= limit).for_each(|(node, squared)| each(node, squared));
            }
            Inside::Halves(halves) => halves.iter().for_each(|half| half.visit(x, side, limit, each)),
        }
    }
}

impl Nodes {
    /// Nodes for noise `std` and above, of squares with sides of `side`.
    pub(super) fn new(mut nodes: Vec<Node>, std: f64, side: f64) -> Self {
        Self { std, side, root: Tile::new(&mut nodes, side) }
    }

    /// The squared distance from `x` to the nearest square.
    pub(super) fn nearest_squared(&self, x: &[f64]) -> f64 {
        self.root.nearest(x, self.side, f64::INFINITY)
    }

    /// Calls `each` with the nodes whose squares are no farther than the root of `limit`, and the squares of how far they
    /// are.
    pub(super) fn visit(&self, x: &[f64], limit: f64, mut each: impl FnMut(&Node, f64)) {
        self.root.visit(x, self.side, limit, &mut each);
    }

    /// The sum over all nodes of their weight times a value.
    pub(super) fn mean(&self, value: impl Fn(&Node) -> f64) -> f64 {
        let mut sum = 0.0;
        self.visit(&[0.0; 2], f64::INFINITY, |node, _| sum += node.log_weight.exp() * value(node));
        sum
    }

    /// The box that holds the squares.
    pub(super) fn extent(&self) -> [[f64; 2]; 2] {
        self.root.extent
    }
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
