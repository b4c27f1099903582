//! `mfn network`: the network of the pattern in an NPY file, and what its loss would do.

use std::path::{Path, PathBuf};

use clap::Args;
use mfn_sim::{
    CancelToken,
    graph::{
        self, Attack, Betweenness, Cuts, GraphError, Network, NetworkConfig, NetworkSummary, Node, NodeKind,
        RobustnessConfig, Share,
    },
};
use ndarray::ArrayView2;
use serde::Serialize;

use mfn_runtime::picture::{self, Colour, Mark, PictureOptions};

use crate::{
    failure::Failure,
    field,
    host::Threads,
    output::Output,
    staging,
    table::{self, Align},
};

/// Colours of the skeleton over the field: none of them is near the colour map.
const BRANCH_COLOUR: Colour = [230, 30, 70];
const JUNCTION_COLOUR: Colour = [255, 255, 255];
const TIP_COLOUR: Colour = [255, 150, 0];

/// Nodes with the most shortest paths through them that are shown.
const CENTRAL_SHOWN: usize = 5;

/// Find the network of a pattern: nodes, branches, lengths, loops.
///
/// The cells of the field above the threshold are thinned to lines of one cell, and the lines followed from
/// junction to junction. Lengths and widths are in cells. The field is a two-dimensional NPY array of float64 or
/// float32 in volts, of any shape.
#[derive(Args)]
#[command(
    after_help = "Example:\n  mfn network result/field.npy\n  mfn network field.npy --threshold-mv -65 --wrap --json\n  \
    mfn network field.npy --out network.graphml --picture network.png\n  mfn network field.npy --robustness"
)]
pub(crate) struct Arguments {
    /// The field, in volts.
    #[arg(value_name = "FILE.npy")]
    file: PathBuf,

    /// Write the figures as one line of JSON.
    #[arg(long)]
    json: bool,

    /// Write the whole network into this file: GraphML, or JSON when its name ends in .json.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Draw the field with its skeleton into this PNG file: branches red, junctions white, free ends orange.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// Also work out what the loss of nodes and branches does: cuts, betweenness, percolation.
    #[arg(long)]
    robustness: bool,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    settings: Settings,
}

/// What the network depends on beside the field.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
struct Settings {
    /// A cell above it is part of the pattern, mV.
    #[arg(long, value_name = "MV", allow_negative_numbers = true, default_value_t = NetworkConfig::default().threshold_mv)]
    threshold_mv: f64,

    /// Opposite edges of the grid touch, as in a periodic simulation.
    #[arg(long)]
    wrap: bool,

    /// Branches with a free end that are shorter are taken off, cells.
    #[arg(long, value_name = "CELLS", default_value_t = NetworkConfig::default().prune_length_cells)]
    prune_length_cells: f64,

    /// Branches with a free end shorter than so many radii of the pattern at their inner end are taken off.
    #[arg(long, value_name = "N", default_value_t = NetworkConfig::default().prune_radii)]
    prune_radii: f64,

    /// Sources of shortest paths at most; a network with more nodes is sampled.
    #[arg(long, value_name = "N", default_value_t = RobustnessConfig::default().sources_max)]
    sources_max: u64,

    /// Trials of random removal that are averaged.
    #[arg(long, value_name = "N", default_value_t = RobustnessConfig::default().trials)]
    trials: u64,

    /// How often an adaptive attack by betweenness is worked out anew, at most.
    #[arg(long, value_name = "N", default_value_t = RobustnessConfig::default().recomputations_max)]
    recomputations_max: u64,

    /// Seed of the random removals and of the sources drawn.
    #[arg(long, value_name = "SEED", default_value_t = RobustnessConfig::default().random_seed)]
    random_seed: u64,
}

impl Settings {
    fn network(&self) -> NetworkConfig {
        NetworkConfig {
            threshold_mv: self.threshold_mv,
            wrap: self.wrap,
            prune_length_cells: self.prune_length_cells,
            prune_radii: self.prune_radii,
        }
    }

    fn robustness(&self) -> RobustnessConfig {
        RobustnessConfig {
            sources_max: self.sources_max,
            trials: self.trials,
            recomputations_max: self.recomputations_max,
            random_seed: self.random_seed,
        }
    }
}

/// What is written with `--json`.
#[derive(Serialize)]
struct Figures {
    #[serde(flatten)]
    summary: NetworkSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    robustness: Option<Robustness>,
}

/// What the loss of nodes and branches does.
#[derive(Serialize)]
struct Robustness {
    /// Nodes whose loss cuts something off.
    articulation_nodes: usize,
    /// The one that cuts off the greatest length.
    worst_node: Option<Cut>,
    /// Branches whose loss cuts something off.
    bridges: usize,
    /// The one that cuts off the greatest length.
    worst_branch: Option<Cut>,
    /// Mean of 1 / length of the shortest path, 1/cell.
    efficiency: f64,
    /// Sources of shortest paths; with fewer than there are nodes the figures are estimates.
    sources: usize,
    /// The nodes that most shortest paths run through.
    central_nodes: Vec<Central>,
    percolation: Vec<Fall>,
}

#[derive(Serialize, Clone, Copy)]
struct Cut {
    number: u32,
    nodes: u64,
    cells: u64,
    length: f64,
}

#[derive(Serialize)]
struct Central {
    node: usize,
    row: f64,
    col: f64,
    betweenness: f64,
}

#[derive(Serialize)]
struct Fall {
    attack: &'static str,
    robustness: f64,
    critical_fraction: f64,
    trials: u64,
    recomputations: u64,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (config, robustness) = (arguments.settings.network(), arguments.settings.robustness());
    config.validate().map_err(GraphError::from).map_err(|error| refused(&error, ""))?;
    robustness.validate().map_err(GraphError::from).map_err(|error| refused(&error, ""))?;
    let name = arguments.file.display().to_string();
    let array = field::read(&arguments.file)?;
    let runtime = arguments.threads.runtime()?;
    let network = runtime
        .install(|| Network::of_field(array.view(), &config))
        .map_err(|error| refused(&error, &name))?;
    if let Some(place) = &arguments.out {
        staging::write_whole(place, &document(place, &network)?)?;
    }
    if let Some(place) = &arguments.picture {
        staging::write_whole(place, &drawn(&name, array.view(), &network)?)?;
    }
    let found = match arguments.robustness {
        true => Some(runtime.install(|| robustness_of(&network, &robustness))?),
        false => None,
    };
    let figures = Figures { summary: network.summary(), robustness: found };
    let mut output = Output::stdout();
    if arguments.json {
        return output.json(&figures);
    }
    output.text(&summary_table(&figures.summary))?;
    figures.robustness.map_or(Ok(()), |robustness| output.text(&robustness_text(&robustness)))
}

/// The network as the file's name asks for it.
fn document(place: &Path, network: &Network) -> Result<Vec<u8>, Failure> {
    if place.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return serde_json::to_vec(&network.document()).map_err(|error| Failure::writing(place, error));
    }
    Ok(graph::graphml(network).into_bytes())
}

/// The field with its skeleton as the bytes of a PNG file.
fn drawn(name: &str, volts: ArrayView2<'_, f64>, network: &Network) -> Result<Vec<u8>, Failure> {
    let cols = network.dim().1;
    let mark = |&cell: &u32, colour| Mark { row: cell as usize / cols, col: cell as usize % cols, colour };
    let branches = (0..network.branches().len()).flat_map(|branch| network.path(branch));
    let mut marks: Vec<Mark> = branches.map(|cell| mark(cell, BRANCH_COLOUR)).collect();
    for (number, node) in network.nodes().iter().enumerate() {
        let colour = match node.kind {
            NodeKind::Junction => JUNCTION_COLOUR,
            NodeKind::Ring => BRANCH_COLOUR,
            _ => TIP_COLOUR,
        };
        marks.extend(network.node_cells(number).iter().map(|cell| mark(cell, colour)));
    }
    picture::encode_png_marked(volts, &marks, &PictureOptions::default()).map_err(|error| {
        Failure::work(
            format!("{name} can not be drawn: {error}"),
            "leave out --picture or give another field",
        )
    })
}

fn robustness_of(network: &Network, config: &RobustnessConfig) -> Result<Robustness, Failure> {
    // Nothing is half written by now, so a signal may simply end the process.
    let never = CancelToken::new();
    let graph = network.graph();
    let failed = |error: GraphError| refused(&error, "the network");
    let Cuts { nodes, edges } = graph::cuts(&graph);
    let central = graph::betweenness(&graph, config, &never).map_err(failed)?;
    let mut percolation = Vec::new();
    for attack in Attack::ALL {
        let fall = graph::percolation(&graph, attack, config, &never).map_err(failed)?;
        percolation.push(Fall {
            attack: attack.name(),
            robustness: fall.robustness,
            critical_fraction: fall.critical_fraction,
            trials: fall.trials,
            recomputations: fall.recomputations,
        });
    }
    Ok(Robustness {
        articulation_nodes: nodes.len(),
        worst_node: worst(nodes.iter().map(|cut| (cut.node, cut.cut_off))),
        bridges: edges.len(),
        worst_branch: worst(edges.iter().map(|cut| (cut.edge, cut.cut_off))),
        efficiency: central.efficiency,
        sources: central.sources,
        central_nodes: most_central(&central, network.nodes()),
        percolation,
    })
}

fn worst(cuts: impl Iterator<Item = (u32, Share)>) -> Option<Cut> {
    cuts.max_by(|(_, a), (_, b)| a.length.total_cmp(&b.length)).map(|(number, off)| Cut {
        number,
        nodes: off.nodes,
        cells: off.cells,
        length: off.length,
    })
}

fn most_central(found: &Betweenness, nodes: &[Node]) -> Vec<Central> {
    let mut central: Vec<Central> = nodes
        .iter()
        .zip(&found.nodes)
        .enumerate()
        .map(|(number, (node, &betweenness))| Central {
            node: number,
            row: node.row,
            col: node.col,
            betweenness,
        })
        .collect();
    central.sort_by(|a, b| b.betweenness.total_cmp(&a.betweenness));
    central.truncate(CENTRAL_SHOWN);
    central
}

/// The figures with their units, one per line.
fn summary_table(summary: &NetworkSummary) -> String {
    let rows = [
        ("pattern_cells", summary.pattern_cells as f64, "cells"),
        ("skeleton_cells", summary.skeleton_cells as f64, "cells"),
        ("components", summary.components as f64, "1"),
        ("loops", summary.loops as f64, "1"),
        ("nodes", summary.nodes as f64, "1"),
        ("junctions", summary.junctions as f64, "1"),
        ("tips", summary.tips as f64, "1"),
        ("isolated", summary.isolated as f64, "1"),
        ("rings", summary.rings as f64, "1"),
        ("branches", summary.branches as f64, "1"),
        ("total_length", summary.total_length, "cells"),
        ("mean_length", summary.mean_length, "cells"),
        ("mean_width", summary.mean_width, "cells"),
        ("mean_degree", summary.mean_degree, "1"),
    ]
    .map(|(name, value, unit)| [name.to_owned(), table::number(value), unit.to_owned()]);
    table::layout([("figure", Align::Left, 0), ("value", Align::Right, 0), ("unit", Align::Left, 0)], &rows)
}

/// The robustness as paragraphs for people.
fn robustness_text(found: &Robustness) -> String {
    let cut = |what: &str, count: usize, worst: Option<Cut>| match worst {
        None => format!("{what}: none; no single loss cuts anything off\n"),
        Some(Cut { number, nodes, cells, length }) => format!(
            "{what}: {count}; the worst, number {number}, cuts off {nodes} nodes, {cells} cells, {} cells of length\n",
            table::number(length)
        ),
    };
    let mut text = format!(
        "\n{}{}global efficiency: {} per cell, from {} sources\n\n",
        cut("nodes that cut something off", found.articulation_nodes, found.worst_node),
        cut("branches that cut something off", found.bridges, found.worst_branch),
        table::number(found.efficiency),
        found.sources
    );
    let central: Vec<_> = found
        .central_nodes
        .iter()
        .map(|central| {
            [
                central.node.to_string(),
                table::number(central.row),
                table::number(central.col),
                table::number(central.betweenness),
            ]
        })
        .collect();
    text += &table::layout(
        [
            ("node", Align::Right, 0),
            ("row", Align::Right, 0),
            ("col", Align::Right, 0),
            ("betweenness", Align::Right, 0),
        ],
        &central,
    );
    let falls: Vec<_> = found
        .percolation
        .iter()
        .map(|fall| {
            [
                fall.attack.to_owned(),
                table::number(fall.robustness),
                table::number(fall.critical_fraction),
                fall.trials.to_string(),
            ]
        })
        .collect();
    text.push('\n');
    text + &table::layout(
        [
            ("attack", Align::Left, 0),
            ("robustness R", Align::Right, 0),
            ("critical fraction", Align::Right, 0),
            ("trials", Align::Right, 0),
        ],
        &falls,
    )
}

/// Refused settings, each under the name of its option, or a field without a network.
fn refused(error: &GraphError, name: &str) -> Failure {
    match error {
        GraphError::Config(faults) => Failure::options(faults),
        GraphError::Full { .. } => {
            Failure::work(format!("{name}: {error}"), "raise --threshold-mv, or leave out --wrap")
        }
        _ => Failure::work(
            format!("{name}: {error}"),
            "give a two-dimensional field, such as the field.npy of mfn simulate",
        ),
    }
}
