//! Metrics as values: what plugins report to the host, and what exporters read from it.

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Only grows. The name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution over fixed buckets.
    Histogram,
}

impl MetricKind {
    /// The number that crosses the library boundary.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Counter => 1,
            Self::Gauge => 2,
            Self::Histogram => 3,
        }
    }

    /// Reads a number from the other side; `None` for one that this version does not know.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Self::Counter),
            2 => Some(Self::Gauge),
            3 => Some(Self::Histogram),
            _ => None,
        }
    }
}

/// One metric with all its label sets, frozen at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFamily {
    /// The full name, for example `mfn_growth_events_total`.
    pub name: String,
    /// One sentence for a reader.
    pub help: String,
    /// What it counts.
    pub kind: MetricKind,
    /// One for each label set.
    pub samples: Vec<MetricSample>,
}

/// The value of one label set.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    /// Label names and values, sorted by name.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: MetricValue,
}

/// A metric's value.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricValue {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram.
    Histogram {
        /// Upper bounds with the count of observations at or below each (cumulative), ascending,
        /// without the infinite one.
        buckets: Vec<(f64, u64)>,
        /// How many observations there were.
        count: u64,
        /// Their sum.
        sum: f64,
    },
}
