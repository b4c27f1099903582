//! Compares the shared types of host and plugin, and says in one line where they differ.

use std::fmt::{self, Debug, Write};

use abi_stable::{
    abi_stability::abi_checking::{AbiInstability, AbiInstabilityErrors, check_layout_compatibility},
    type_layout::{TLFieldOrFunction, TypeLayout},
};

/// Longest text of one side of a difference, in bytes.
const SIDE_BYTES_MAX: usize = 160;

/// Checks that a host can use a plugin. Only tables grow, and at their end, so one of the two layouts
/// has to be a prefix of the other: the plugin's of the host's (an older plugin, whose missing methods
/// run their default) or the host's of the plugin's (a newer plugin, whose further methods stay unused).
///
/// Answers the first difference otherwise.
pub(super) fn compatible(host: &'static TypeLayout, plugin: &'static TypeLayout) -> Result<(), String> {
    let Err(forward) = check_layout_compatibility(host, plugin) else { return Ok(()) };
    let Err(backward) = check_layout_compatibility(plugin, host) else { return Ok(()) };
    // The direction with fewer complaints is the one that was meant; the other also complains of growth.
    let count =
        |errors: &AbiInstabilityErrors| errors.errors.iter().map(|error| error.errs.len()).sum::<usize>();
    Err(if count(&backward) < count(&forward) {
        first_difference(&backward, "the plugin", "the host")
    } else {
        first_difference(&forward, "the host", "the plugin")
    })
}

/// abi_stable's own text of an error has tens of kilobytes; this is its gist.
fn first_difference(errors: &AbiInstabilityErrors, expecting: &str, found: &str) -> String {
    let Some(first) = errors.errors.iter().find(|error| !error.errs.is_empty()) else {
        return "the types differ".to_owned();
    };
    let path: Vec<String> = first.stack_trace.iter().map(|step| step_name(&step.expected)).collect();
    let place = if path.is_empty() { "the root module".to_owned() } else { path.join(".") };
    let kind = first.errs.iter().next().map_or_else(String::new, |error| difference(error, expecting, found));
    format!("{place}: {kind}")
}

fn step_name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => format!("{}()", function.name),
    }
}

fn difference(error: &AbiInstability, expecting: &str, found: &str) -> String {
    let sides = |what: &str, expected: &dyn Debug, other: &dyn Debug| {
        format!("{what} differs: {expecting} has {}, {found} has {}", short(expected), short(other))
    };
    match error {
        AbiInstability::Name(sides_) => sides("type", &sides_.expected, &sides_.found),
        AbiInstability::Package(v) => sides("package", &v.expected.as_str(), &v.found.as_str()),
        AbiInstability::PackageVersion(v) => {
            sides("package version", &v.expected.version.as_str(), &v.found.version.as_str())
        }
        AbiInstability::Size(v) => sides("size", &v.expected, &v.found),
        AbiInstability::Alignment(v) => sides("alignment", &v.expected, &v.found),
        AbiInstability::FieldCountMismatch(v) => sides("number of fields", &v.expected, &v.found),
        AbiInstability::MismatchedPrefixSize(v) => sides("number of prefix fields", &v.expected, &v.found),
        AbiInstability::MismatchedPrimitive(v) => sides("primitive type", &v.expected, &v.found),
        AbiInstability::TooManyVariants(v) => sides("number of variants", &v.expected, &v.found),
        AbiInstability::UnexpectedField(v) => sides("field", &v.expected.name(), &v.found.name()),
        AbiInstability::UnexpectedVariant(v) => sides("variant", &v.expected.as_str(), &v.found.as_str()),
        other => short(other),
    }
}

/// The debug text, cut. The writer stops the formatting, so pages are never made.
fn short(value: &dyn Debug) -> String {
    struct Limited(String);
    impl Write for Limited {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = SIDE_BYTES_MAX - self.0.len();
            let fits = text.floor_char_boundary(room);
            self.0.push_str(text.get(..fits).unwrap_or_default());
            if fits < text.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut text = Limited(String::new());
    if write!(text, "{value:?}").is_err() {
        text.0.push_str("...");
    }
    text.0
}
