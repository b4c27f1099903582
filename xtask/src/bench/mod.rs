//! `cargo xtask bench`: how fast libmfn is. The criterion benches, routes with the real plugins, crossings of boundaries, the peers of benches/peers in an environment made
//! for them, counts of instructions that must not grow, and docs/performance.md with its pictures, which are made from
//! the committed results and from nothing else.

mod crossing;
mod delivery;
mod document;
mod gate;
mod machine;
mod marks;
mod model;
mod peers;
pub(crate) mod results;
mod tables;

use anyhow::Result;

use crate::cli::BenchOptions;
use crate::command;
use crate::workspace::Workspace;

pub(crate) use document::stale;

/// Does what the options say.
pub(crate) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<()> {
    if options.gate {
        return gate::run(workspace, options.save);
    }
    if options.delivery {
        delivery::run(workspace, options)?;
    }
    if options.crossing {
        crossing::run(workspace, options)?;
    }
    if options.peers {
        peers::run(workspace, options)?;
    }
    if options.draw || options.save {
        document::write(workspace)?;
    }
    if options.delivery || options.crossing || options.peers || options.draw {
        return Ok(());
    }
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "mfn-benches", "--bench", "features", "--bench", "step", "--"]);
    if options.quick {
        cargo.arg("--quick");
    }
    command::run(cargo.args(&options.arguments))
}
