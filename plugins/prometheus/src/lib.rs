//! A Prometheus exporter: `GET /metrics` shows the host's metrics to whoever scrapes.
//!
//! A scrape reads one snapshot from the host and writes it as OpenMetrics 1.0.0 where the scraper's
//! `Accept` asks for it, else in the Prometheus text format 0.0.4. The snapshot is the host's own copy:
//! nothing here holds a lock that a simulation or a pipeline takes. [`text`] writes the two
//! formats, [`negotiate`] chooses, [`routes`] answers, [`exporter`] is the plugin's face to the host.

pub mod config;
pub mod exporter;
pub mod negotiate;
pub mod routes;
pub mod text;

pub use config::Config;
pub use exporter::PrometheusExporter;

mfn_plugin::export! {
    name: "prometheus",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows metrics to Prometheus and OpenMetrics scrapers.",
    exporter: PrometheusExporter,
}
