//! A strict reader of both text formats, written from their specifications and sharing no code with the
//! writer: OpenMetrics 1.0.0 (its ABNF) and the Prometheus text format 0.0.4.
#![allow(unreachable_pub)]

use std::collections::{BTreeMap, HashSet};

/// Label names and values in the order in which they stand.
pub type Labels = Vec<(String, String)>;

/// A sample's name, labels and value.
pub type Sample = (String, Labels, f64);

/// A family as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    pub kind: String,
    pub help: String,
    pub samples: Vec<Sample>,
}

/// Reads a whole exposition; an error names the line.
pub fn parse(text: &str, open_metrics: bool) -> Result<BTreeMap<String, Family>, String> {
    let body = if open_metrics {
        text.strip_suffix("# EOF\n").ok_or("does not end in # EOF and a line end")?
    } else {
        if text.contains("# EOF") {
            return Err("# EOF is of the other format".to_owned());
        }
        text
    };
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut families = BTreeMap::new();
    let mut current: Option<(String, Family)> = None;
    let mut series = HashSet::new();
    for line in body.lines() {
        let fail = |why: &str| Err(format!("{why}: {line}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let Some((name, help)) = rest.split_once(' ') else { return fail("no help") };
            close(&mut families, current.take(), open_metrics)?;
            if families.contains_key(name) {
                return fail("a family twice");
            }
            let help = unescape(help, open_metrics).ok_or(format!("bad escape: {line}"))?;
            current = Some((name.to_owned(), Family { kind: String::new(), help, samples: Vec::new() }));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = rest.split_once(' ') else { return fail("no type") };
            match &mut current {
                Some((known, family)) if known == name && family.kind.is_empty() => {
                    family.kind = kind.to_owned()
                }
                _ => return fail("a type without its help"),
            }
            if !["counter", "gauge", "histogram"].contains(&kind) {
                return fail("unknown type");
            }
        } else if line.starts_with('#') || line.is_empty() {
            return fail("neither a sample nor known metadata");
        } else {
            let (name, labels, value) = sample(line).ok_or(format!("not a sample: {line}"))?;
            if !series.insert((name.clone(), labels.clone())) {
                return fail("a series twice");
            }
            let Some((family_name, family)) = &mut current else { return fail("a sample without a family") };
            let suffix =
                name.strip_prefix(family_name.as_str()).ok_or(format!("of another family: {line}"))?;
            let allowed: &[&str] = match family.kind.as_str() {
                "counter" if open_metrics => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            if !allowed.contains(&suffix) {
                return fail("a suffix that the type does not have");
            }
            if family.kind == "counter" && (value.is_nan() || value < 0.0) {
                return fail("a counter below zero");
            }
            family.samples.push((name, labels, value));
        }
    }
    close(&mut families, current, open_metrics)?;
    Ok(families)
}

fn close(
    families: &mut BTreeMap<String, Family>,
    family: Option<(String, Family)>,
    open_metrics: bool,
) -> Result<(), String> {
    let Some((name, family)) = family else { return Ok(()) };
    if !is_name(&name, true) || family.kind.is_empty() {
        return Err(format!("the family {name:?} has a bad name or no type"));
    }
    if open_metrics && family.kind == "counter" && name.ends_with("_total") {
        return Err(format!("the family {name} has the suffix of its samples"));
    }
    if family.kind == "histogram" {
        histogram(&name, &family)?;
    }
    families.insert(name, family);
    Ok(())
}

/// Of one label set without `le`: the buckets, the sum and the count.
type Group = (Vec<(f64, f64)>, Option<f64>, Option<f64>);

/// Bounds ascend to +Inf, counts do not fall, and the last equals `_count`.
fn histogram(name: &str, family: &Family) -> Result<(), String> {
    let mut groups: BTreeMap<Labels, Group> = BTreeMap::new();
    for (sample, labels, value) in &family.samples {
        let bound = labels.iter().find(|(label, _)| label == "le").and_then(|(_, bound)| float(bound));
        let rest = labels.iter().filter(|(label, _)| label != "le").cloned().collect();
        let group = groups.entry(rest).or_default();
        match (sample.strip_prefix(name), bound) {
            (Some("_bucket"), Some(bound)) => group.0.push((bound, *value)),
            (Some("_sum"), None) => group.1 = Some(*value),
            (Some("_count"), None) => group.2 = Some(*value),
            _ => return Err(format!("a sample of {name} has a wrong le")),
        }
    }
    for (labels, (buckets, sum, count)) in groups {
        let rising = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let last = buckets.last().copied();
        if !rising
            || sum.is_none()
            || last.map(|(bound, _)| bound) != Some(f64::INFINITY)
            || last.map(|(_, n)| n) != count
        {
            return Err(format!("the histogram {name} {labels:?} does not add up"));
        }
    }
    Ok(())
}

/// `name value` or `name{label="value",…} value`, with nothing more.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, tail) = rest.split_once("=\"")?;
            let end = tail.char_indices().scan(false, |escaped, (at, c)| {
                let ends = c == '"' && !*escaped;
                *escaped = c == '\\' && !*escaped;
                Some((at, ends))
            });
            let end = end.filter(|(_, ends)| *ends).map(|(at, _)| at).next()?;
            if !is_name(label, false) || labels.iter().any(|(known, _)| known == label) {
                return None;
            }
            labels.push((label.to_owned(), unescape(&tail[..end], true)?));
            rest = &tail[end + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break rest = rest.strip_prefix('}')?,
            }
        }
    }
    let value = rest.strip_prefix(' ')?;
    (is_name(name, true) && !value.contains(' ')).then_some(())?;
    Some((name.to_owned(), labels, float(value)?))
}

fn float(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        number if number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte)) => {
            number.parse().ok()
        }
        _ => None,
    }
}

fn unescape(text: &str, quotes: bool) -> Option<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                '"' if quotes => '"',
                _ => return None,
            }),
            '"' if quotes => return None,
            c => plain.push(c),
        }
    }
    Some(plain)
}

fn is_name(name: &str, metric: bool) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (metric && byte == b':');
    !name.is_empty() && name.bytes().all(fits) && !name.as_bytes()[0].is_ascii_digit()
}
