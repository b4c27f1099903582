//! A plugin whose start goes as the text [`MODE`] says, for the tests of the loader. They change the
//! text in a copy of the library: `start=ok`, `start=er` (an error), `start=pa` (a panic).

use std::{hint::black_box, time::Duration};

use mfn_plugin::{
    author::{Component, Exporter, Result},
    host::Host,
    value::PluginError,
};

/// Stands in the library's data once.
static MODE: &[u8; 8] = b"start=er";

/// An exporter that does nothing.
struct Idle;

/// No options.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

impl Component for Idle {
    type Config = Config;
    fn create(_: Config, _: Host) -> Result<Self> {
        Ok(Self)
    }
    fn open(&mut self) -> Result<()> {
        Ok(())
    }
    fn check(&mut self) -> Result<()> {
        Ok(())
    }
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Exporter for Idle {
    fn flush(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}

fn start() -> Result<()> {
    match black_box(MODE) {
        mode if mode.ends_with(b"pa") => panic!("the start went wrong"),
        mode if mode.ends_with(b"er") => Err(PluginError::permanent("the start was refused")),
        _ => Ok(()),
    }
}

mfn_plugin::export! {
    name: "fixture-start",
    version: "0.0.1",
    about: "Starts or not.",
    init: start,
    exporter: Idle,
}
