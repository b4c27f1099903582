//! Percolation curves: how the network of the default pattern falls apart at random and under attack.

use anyhow::Result;
use mfn_sim::CancelToken;
use mfn_sim::graph::{Attack, RobustnessConfig, percolation};
use plotters::prelude::*;

use super::canvas::{FAINT, INK, LABEL_PX, Picture, TITLE_PX, legend, line_colour, text};
use super::runs;

const SIDE: usize = 256;

/// The attacks that are shown, with the words of the legend.
const SHOWN: [(Attack, &str); 5] = [
    (Attack::RandomEdges, "branches at random"),
    (Attack::RandomNodes, "nodes at random"),
    (Attack::DegreeAdaptive, "nodes by degree, adaptive"),
    (Attack::Betweenness, "nodes by betweenness"),
    (Attack::BetweennessAdaptive, "nodes by betweenness, adaptive"),
];

pub(super) fn draw() -> Result<Picture> {
    let network = runs::network_of(&runs::mycelium(SIDE)?)?;
    let graph = network.graph();
    let config = RobustnessConfig::default();
    Picture::draw((1040, 700), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(24)
            .caption("How a network falls apart", text(TITLE_PX))
            .x_label_area_size(64)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(text(LABEL_PX - 2))
            .axis_desc_style(text(LABEL_PX))
            .x_desc(format!(
                "fraction lost, of {} nodes or {} branches",
                graph.node_count(),
                graph.edge_count()
            ))
            .y_desc("nodes in the largest component, fraction of all")
            .draw()?;
        for (index, (attack, words)) in SHOWN.into_iter().enumerate() {
            let fall = percolation(&graph, attack, &config, &CancelToken::new())?;
            let last = (fall.largest.len() - 1).max(1) as f64;
            let points =
                fall.largest.iter().enumerate().map(|(losses, &value)| (losses as f64 / last, value));
            let style = line_colour(index).stroke_width(3);
            chart
                .draw_series(LineSeries::new(points, style))?
                .label(format!("{words}: R = {:.3}", fall.robustness))
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 28, y)], style));
        }
        legend(&mut chart, SeriesLabelPosition::UpperRight)
    })
}
