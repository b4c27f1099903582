//! Chooses the format of an answer from the scraper's `Accept`.

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The media type of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// OpenMetrics where it is asked for by name with at least the weight of plain text; else the Prometheus
/// format, which every scraper reads. Weights are those of RFC 9110, section 12.4.2.
#[must_use]
pub fn format(accept: &str) -> Format {
    let mut open_metrics: f32 = 0.0;
    let mut plain: f32 = 0.0;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut weight: f32 = 1.0;
        let mut version = None;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = value.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        match media.as_str() {
            // 0.0.1 differs from 1.0.0 in nothing that is written here, but the answer says 1.0.0.
            "application/openmetrics-text" if version.is_none_or(|v| v == "1.0.0") => {
                open_metrics = open_metrics.max(weight);
            }
            "text/plain" => plain = plain.max(weight),
            _ => {}
        }
    }
    if open_metrics > 0.0 && open_metrics >= plain { Format::OpenMetrics } else { Format::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the choice for the headers that scrapers really send, and for nonsense.
    #[test]
    fn the_accept_header_decides() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for open in [prometheus_2, prometheus_3, "Application/OpenMetrics-Text; version=\"1.0.0\""] {
            assert_eq!(format(open), Format::OpenMetrics, "{open}");
        }
        for plain in [
            "",
            "*/*",
            "text/html, text/plain",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=nan",
            "application/openmetrics-text;q=0.2, text/plain;q=0.9",
            "application/openmetrics-text;version=2.0.0",
            ";;;,,,=q",
        ] {
            assert_eq!(format(plain), Format::Prometheus, "{plain}");
        }
    }
}
