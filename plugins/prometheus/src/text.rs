//! Writes a snapshot in the two text formats.
//!
//! Sources: OpenMetrics 1.0.0 (openmetrics.io, "text format") and "Exposition formats" of the Prometheus
//! documentation, version 0.0.4. Their differences are few: OpenMetrics names a counter's family without
//! `_total`, escapes quotes in help texts, and ends with `# EOF`.
//!
//! A scraper drops a whole answer for one wrong line, so a family or sample that breaks the rules
//! (a name with other characters, a label twice, a family twice) is left out and counted.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write,
};

use mfn_plugin::metric::{MetricFamily, MetricKind, MetricSample, MetricValue};

use crate::negotiate::Format;

/// The text of a snapshot, and how many families and samples were left out because they break the rules.
#[must_use]
pub fn write(families: &[MetricFamily], format: Format) -> (String, u64) {
    let mut writer = Writer { text: String::new(), format, left_out: 0 };
    // Sorted, so that two scrapes of the same state are the same bytes; a name that was seen is not repeated.
    let mut sorted: BTreeMap<&str, &MetricFamily> = BTreeMap::new();
    for family in families {
        let base = base_name(family);
        if !is_metric_name(base) || sorted.contains_key(base) {
            writer.left_out += 1;
        } else {
            sorted.insert(base, family);
        }
    }
    for (base, family) in sorted {
        writer.family(base, family);
    }
    if format == Format::OpenMetrics {
        writer.text.push_str("# EOF\n");
    }
    (writer.text, writer.left_out)
}

/// A counter's name without `_total`, any other's as it is.
fn base_name(family: &MetricFamily) -> &str {
    match family.kind {
        MetricKind::Counter => family.name.strip_suffix("_total").unwrap_or(&family.name),
        MetricKind::Gauge | MetricKind::Histogram => &family.name,
    }
}

struct Writer {
    text: String,
    format: Format,
    left_out: u64,
}

impl Writer {
    fn family(&mut self, base: &str, family: &MetricFamily) {
        let kind = match family.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let sample_name = match family.kind {
            MetricKind::Counter => format!("{base}_total"),
            MetricKind::Gauge | MetricKind::Histogram => base.to_owned(),
        };
        let announced = if self.format == Format::OpenMetrics { base } else { &sample_name };
        let help = escape(&family.help, self.format == Format::OpenMetrics);
        self.line(format_args!("# HELP {announced} {help}"));
        self.line(format_args!("# TYPE {announced} {kind}"));
        let mut seen = HashSet::new();
        for sample in &family.samples {
            let reserved = if family.kind == MetricKind::Histogram { Some("le") } else { None };
            let labels = labels(sample, reserved).filter(|labels| seen.insert(labels.clone()));
            match (labels, &sample.value, family.kind) {
                (Some(labels), MetricValue::Number(value), MetricKind::Counter | MetricKind::Gauge)
                    if family.kind == MetricKind::Gauge || *value >= 0.0 =>
                {
                    self.sample(&sample_name, &labels, None, &number(*value));
                }
                (Some(labels), MetricValue::Histogram { buckets, count, sum }, MetricKind::Histogram)
                    if is_cumulative(buckets, *count) =>
                {
                    self.histogram(base, &labels, buckets, *count, *sum);
                }
                _ => self.left_out += 1,
            }
        }
    }

    fn histogram(&mut self, base: &str, labels: &str, buckets: &[(f64, u64)], count: u64, sum: f64) {
        let name = format!("{base}_bucket");
        for (bound, at_or_below) in buckets {
            self.sample(&name, labels, Some(&number(*bound)), &at_or_below.to_string());
        }
        self.sample(&name, labels, Some("+Inf"), &count.to_string());
        self.sample(&format!("{base}_sum"), labels, None, &number(sum));
        self.sample(&format!("{base}_count"), labels, None, &count.to_string());
    }

    fn sample(&mut self, name: &str, labels: &str, bound: Option<&str>, value: &str) {
        let bound = bound.map(|bound| format!("le=\"{bound}\""));
        let labels: Vec<_> =
            [Some(labels), bound.as_deref()].into_iter().flatten().filter(|l| !l.is_empty()).collect();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// `name="value",…`, or `None` where a name is not allowed or stands twice.
fn labels(sample: &MetricSample, reserved: Option<&str>) -> Option<String> {
    let mut names = HashSet::new();
    let mut parts = Vec::with_capacity(sample.labels.len());
    for (name, value) in &sample.labels {
        if !is_label_name(name) || reserved == Some(name.as_str()) || !names.insert(name.as_str()) {
            return None;
        }
        parts.push(format!("{name}=\"{}\"", escape(value, true)));
    }
    Some(parts.join(","))
}

/// Whether bounds ascend, are finite, and no count is above the next.
fn is_cumulative(buckets: &[(f64, u64)], count: u64) -> bool {
    let ascending = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    ascending
        && buckets.iter().all(|(bound, _)| bound.is_finite())
        && buckets.last().is_none_or(|(_, at_or_below)| *at_or_below <= count)
}

fn escape(text: &str, quotes: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '"' if quotes => escaped.push_str("\\\""),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A value as both formats write it; whole numbers carry `.0`, as OpenMetrics wants it for `le`.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
fn is_metric_name(name: &str) -> bool {
    is_name(name, |byte| byte == b':')
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, without the two leading underscores that are reserved.
fn is_label_name(name: &str) -> bool {
    is_name(name, |_| false) && !name.starts_with("__")
}

fn is_name(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let starts_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, kind: MetricKind, samples: Vec<MetricSample>) -> MetricFamily {
        MetricFamily { name: name.to_owned(), help: "A \"help\"\\\nof two lines.".to_owned(), kind, samples }
    }

    fn sample(labels: &[(&str, &str)], value: MetricValue) -> MetricSample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MetricSample { labels, value }
    }

    /// Guards the exact bytes of both formats: escapes, `_total`, buckets, the end mark.
    #[test]
    fn both_formats_are_written_to_the_letter() {
        let buckets = vec![(0.5, 1), (2.0, 3)];
        let families = [
            family(
                "t",
                MetricKind::Histogram,
                vec![sample(&[], MetricValue::Histogram { buckets, count: 4, sum: 9.25 })],
            ),
            family("g", MetricKind::Gauge, vec![sample(&[("a", "x\"\\\n")], MetricValue::Number(f64::NAN))]),
            family("c_total", MetricKind::Counter, vec![sample(&[], MetricValue::Number(3.0))]),
        ];
        let (open, left_out) = write(&families, Format::OpenMetrics);
        assert_eq!(left_out, 0);
        let expected = r#"# HELP c A \"help\"\\\nof two lines.
# TYPE c counter
c_total 3.0
# HELP g A \"help\"\\\nof two lines.
# TYPE g gauge
g{a="x\"\\\n"} NaN
# HELP t A \"help\"\\\nof two lines.
# TYPE t histogram
t_bucket{le="0.5"} 1
t_bucket{le="2.0"} 3
t_bucket{le="+Inf"} 4
t_sum 9.25
t_count 4
# EOF
"#;
        assert_eq!(open, expected);
        let plain = expected.replace("\\\"help\\\"", "\"help\"").replace("# EOF\n", "");
        let plain = plain.replace("# HELP c ", "# HELP c_total ").replace("# TYPE c ", "# TYPE c_total ");
        assert_eq!(write(&families, Format::Prometheus).0, plain);
    }

    /// Guards the whole answer against single bad entries, each of which would make a scraper drop it all.
    #[test]
    fn what_breaks_the_rules_is_left_out_and_counted() {
        let one = MetricValue::Number(1.0);
        let histogram = |buckets: &[(f64, u64)], count| MetricValue::Histogram {
            buckets: buckets.to_vec(),
            count,
            sum: 1.0,
        };
        let families = [
            family("1bad", MetricKind::Gauge, vec![]),
            family("bad name", MetricKind::Gauge, vec![]),
            family("twice_total", MetricKind::Counter, vec![]),
            family("twice", MetricKind::Counter, vec![]),
            family(
                "g",
                MetricKind::Gauge,
                vec![
                    sample(&[("a-b", "x")], one.clone()),
                    sample(&[("a", "x"), ("a", "y")], one.clone()),
                    sample(&[("__a", "x")], one.clone()),
                    sample(&[("a", "x")], one.clone()),
                    sample(&[("a", "x")], one.clone()),
                    sample(&[], histogram(&[], 1)),
                ],
            ),
            family(
                "n_total",
                MetricKind::Counter,
                vec![
                    sample(&[], MetricValue::Number(-1.0)),
                    sample(&[("a", "b")], MetricValue::Number(f64::NAN)),
                ],
            ),
            family(
                "h",
                MetricKind::Histogram,
                vec![
                    sample(&[("le", "1")], histogram(&[], 1)),
                    sample(&[("a", "1")], histogram(&[(2.0, 1), (1.0, 2)], 2)),
                    sample(&[("a", "2")], histogram(&[(1.0, 3)], 2)),
                    sample(&[("a", "3")], histogram(&[(f64::INFINITY, 2)], 2)),
                ],
            ),
        ];
        let (text, left_out) = write(&families, Format::OpenMetrics);
        assert_eq!(left_out, 14);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, ["g{a=\"x\"} 1.0"]);
    }
}
