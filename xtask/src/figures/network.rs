//! The network of the default pattern: its skeleton over the field, and the traffic along its branches.

use anyhow::Result;
use mfn_sim::CancelToken;
use mfn_sim::graph::{Network, NodeKind, RobustnessConfig, betweenness};
use plotters::prelude::*;

use super::canvas::{Area, INK, LABEL_PX, Picture, TITLE_PX, colour_bar, heat_map, text, viridis};
use super::runs;

const SIDE: usize = 128;
const ZOOM: i32 = 5;
const PANEL_PX: i32 = SIDE as i32 * ZOOM;
const TOP: i32 = 84;
const LEFT: i32 = 28;
/// From one panel to the next: the panel, its colour bar and a gap.
const PITCH: i32 = PANEL_PX + 136;

pub(super) fn draw() -> Result<Picture> {
    let field = runs::mycelium(SIDE)?;
    let network = runs::network_of(&field)?;
    let summary = network.summary();
    let traffic = betweenness(&network.graph(), &RobustnessConfig::default(), &CancelToken::new())?;
    let size = ((LEFT + 2 * PITCH - 12) as u32, (TOP + PANEL_PX + 52) as u32);
    Picture::draw(size, |area| {
        let millivolts = field.mapv(|volts| volts * 1000.0);
        let low = millivolts.iter().copied().fold(f64::INFINITY, f64::min);
        let high = millivolts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        title(area, 0, "Skeleton of the cells above -60 mV")?;
        heat_map(area, (LEFT, TOP), ZOOM, millivolts.view(), (low, high))?;
        for branch in 0..network.branches().len() {
            line(area, 0, network.path(branch), INK.stroke_width(2))?;
        }
        nodes(area, &network)?;
        colour_bar(area, (LEFT + PANEL_PX + 20, TOP), PANEL_PX, (low, high), "mV")?;

        title(area, 1, "Share of all shortest paths along each branch")?;
        let most = traffic.edges.iter().copied().fold(0.0, f64::max);
        let left = LEFT + PITCH;
        let panel = [(left, TOP), (left + PANEL_PX, TOP + PANEL_PX)];
        area.draw(&Rectangle::new(panel, RGBColor(24, 24, 28).filled()))?;
        let mut order: Vec<usize> = (0..traffic.edges.len()).collect();
        // The busiest branch lies on top.
        order.sort_by(|&a, &b| traffic.edges[a].total_cmp(&traffic.edges[b]));
        for branch in order {
            let share = traffic.edges[branch] / most;
            let style = viridis(0.12 + 0.88 * share.sqrt()).stroke_width(2 + (4.0 * share) as u32);
            line(area, 1, network.path(branch), style)?;
        }
        colour_bar_sqrt(area, left + PANEL_PX + 20, most)?;
        let caption = format!(
            "preset mycelium, {SIDE} x {SIDE} cells, periodic: {} junctions (red), {} free ends (orange), {} branches, \
             {} loops, {:.0} cells of length",
            summary.junctions, summary.tips, summary.branches, summary.loops, summary.total_length
        );
        area.draw(&Text::new(caption, (LEFT, TOP + PANEL_PX + 16), text(LABEL_PX)))?;
        Ok(())
    })
}

fn title(area: &Area<'_>, panel: i32, words: &'static str) -> Result<()> {
    area.draw(&Text::new(words, (LEFT + panel * PITCH, 16), text(TITLE_PX)))?;
    Ok(())
}

/// The middle of a cell.
fn middle(panel: i32, row: f64, col: f64) -> (i32, i32) {
    let along = |cells: f64| ((cells + 0.5) * f64::from(ZOOM)) as i32;
    (LEFT + panel * PITCH + along(col), TOP + along(row))
}

/// A line through cells, broken where it leaves the panel on one side and enters on the other.
fn line(area: &Area<'_>, panel: i32, path: &[u32], style: ShapeStyle) -> Result<()> {
    let place = |cell: u32| (cell as usize / SIDE, cell as usize % SIDE);
    let is_near = |a: &u32, b: &u32| {
        let (a, b) = (place(*a), place(*b));
        a.0.abs_diff(b.0) <= 1 && a.1.abs_diff(b.1) <= 1
    };
    for piece in path.chunk_by(is_near) {
        let points = piece.iter().map(|&cell| middle(panel, place(cell).0 as f64, place(cell).1 as f64));
        area.draw(&PathElement::new(points.collect::<Vec<_>>(), style))?;
    }
    Ok(())
}

fn nodes(area: &Area<'_>, network: &Network) -> Result<()> {
    for node in network.nodes() {
        let (radius, colour) = match node.kind {
            NodeKind::Junction => (4, RGBColor(225, 40, 70)),
            NodeKind::Ring => continue,
            _ => (4, RGBColor(255, 150, 0)),
        };
        let place = middle(0, node.row, node.col);
        area.draw(&Circle::new(place, radius + 1, WHITE.filled()))?;
        area.draw(&Circle::new(place, radius, colour.filled()))?;
    }
    Ok(())
}

/// The colour bar of the second panel, whose colours follow the root of the share.
fn colour_bar_sqrt(area: &Area<'_>, left: i32, most: f64) -> Result<()> {
    for pixel in 0..PANEL_PX {
        let share = 1.0 - f64::from(pixel) / f64::from(PANEL_PX);
        let colour = viridis(0.12 + 0.88 * share.sqrt());
        let y = TOP + pixel;
        area.draw(&Rectangle::new([(left, y), (left + 20, y + 1)], colour.filled()))?;
    }
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let y = TOP + PANEL_PX - (share * f64::from(PANEL_PX)) as i32;
        let label = format!("{:.1}", 100.0 * share * most);
        area.draw(&Text::new(label, (left + 29, y - LABEL_PX as i32 / 2), text(LABEL_PX - 3)))?;
    }
    area.draw(&Text::new("%", (left, TOP - LABEL_PX as i32 - 6), text(LABEL_PX - 3)))?;
    Ok(())
}
