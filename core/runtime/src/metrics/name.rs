//! What metric names, labels and buckets may be, so that every exporter can show them.

use mfn_plugin::metric::MetricKind;

use super::MetricError;

/// The longest metric or label name in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The longest label value in bytes; a longer one is cut.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;
/// The longest help text in bytes; a longer one is cut.
pub const HELP_BYTES_MAX: usize = 512;
/// The most labels of one metric.
pub const LABELS_MAX: usize = 16;
/// The most buckets of a histogram, without the infinite one.
pub const BUCKETS_MAX: usize = 64;

/// Checks a metric's name: letters, digits and `_`, not a digit first; a counter's ends in `_total`.
pub(super) fn check_name(name: &str, kind: MetricKind) -> Result<(), MetricError> {
    let fault = |why| MetricError::Name { name: cut(name, NAME_BYTES_MAX), why };
    if !is_word(name) {
        return Err(fault("use letters, digits and underscores, no digit first, 128 bytes at most"));
    }
    if (kind == MetricKind::Counter) != name.ends_with("_total") {
        return Err(fault("the name of a counter ends in _total, that of another kind does not"));
    }
    if ["_bucket", "_count", "_sum", "_created"].iter().any(|end| name.ends_with(end)) {
        return Err(fault("the ends _bucket, _count, _sum and _created are taken by the exposition formats"));
    }
    Ok(())
}

/// Checks label names and gives the labels sorted by name with values cut to size.
pub(super) fn check_labels(
    metric: &str,
    kind: MetricKind,
    labels: &[(&str, &str)],
) -> Result<Vec<(String, String)>, MetricError> {
    let fault = |label: &str, why| MetricError::Label {
        metric: metric.to_owned(),
        label: cut(label, NAME_BYTES_MAX),
        why,
    };
    if labels.len() > LABELS_MAX {
        return Err(fault("", "a metric has 16 labels at most"));
    }
    for (label, _) in labels {
        if !is_word(label) || label.starts_with("__") {
            return Err(fault(label, "use letters, digits and underscores, no digit and no __ first"));
        }
        if kind == MetricKind::Histogram && *label == "le" {
            return Err(fault(label, "le names the buckets of a histogram"));
        }
    }
    let mut sorted: Vec<_> = labels
        .iter()
        .map(|(label, value)| ((*label).to_owned(), cut(value, LABEL_VALUE_BYTES_MAX)))
        .collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        Some([(label, _), ..]) => Err(fault(label, "the label is given twice")),
        _ => Ok(sorted),
    }
}

/// Checks that the upper bounds are finite, ascending and not too many.
pub(super) fn check_buckets(metric: &str, kind: MetricKind, bounds: &[f64]) -> Result<(), MetricError> {
    let ascending = bounds.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    let fits = match kind {
        MetricKind::Histogram => {
            !bounds.is_empty() && bounds.len() <= BUCKETS_MAX && bounds.iter().all(|b| b.is_finite())
        }
        MetricKind::Counter | MetricKind::Gauge => bounds.is_empty(),
    };
    if ascending && fits { Ok(()) } else { Err(MetricError::Buckets { metric: metric.to_owned() }) }
}

fn is_word(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= NAME_BYTES_MAX
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// At most `bytes_max` bytes of a text, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}
