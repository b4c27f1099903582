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
    let steps: Vec<&str> = first.stack_trace.iter().filter_map(|step| step_name(&step.expected)).collect();
    let place = if steps.is_empty() { "the root module".to_owned() } else { steps.join(".") };
    let kind = first.errs.iter().next().map_or_else(String::new, |error| difference(error, expecting, found));
    format!("{place}: {kind}")
}

/// The name of a field, where it is one that somebody wrote: tuples and wrappers have numbers, and a
/// function stands in a field of its own name.
fn step_name(step: &TLFieldOrFunction) -> Option<&str> {
    match step {
        TLFieldOrFunction::Field(field) => Some(field.name()).filter(|name| name.starts_with(is_letter)),
        TLFieldOrFunction::Function(_) => None,
    }
}

fn is_letter(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn difference(error: &AbiInstability, expecting: &str, found: &str) -> String {
    let sides = |what: &str, expected: &dyn Debug, other: &dyn Debug| {
        format!("{what} differs: {expecting} has {}, {found} has {}", short(expected), short(other))
    };
    match error {
        AbiInstability::Name(v) => sides("type", &v.expected, &v.found),
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

#[cfg(test)]
#[allow(unsafe_code, non_local_definitions, clippy::used_underscore_binding)]
mod tests {
    use abi_stable::{
        StableAbi, declare_root_module_statics,
        library::{LibHeader, RootModule},
        package_version_strings,
        prefix_type::PrefixTypeTrait,
        sabi_types::VersionStrings,
    };

    use super::*;

    /// One version of a table, as it would stand in one library.
    macro_rules! version {
        ($version:ident, $($field:ident: $type:ty),* ; $last:ident: $last_type:ty $(; $new:ident: $new_type:ty)?) => {
            #[allow(dead_code, reason = "of some versions only the layout is used")]
            mod $version {
                use super::*;

                #[repr(C)]
                #[derive(StableAbi)]
                #[sabi(kind(Prefix(prefix_ref = TableRef)))]
                #[sabi(missing_field(option))]
                pub(crate) struct Table {
                    $(#[sabi(missing_field(panic))] pub(crate) $field: $type,)*
                    #[sabi(missing_field(panic), last_prefix_field)]
                    pub(crate) $last: $last_type,
                    $(pub(crate) $new: $new_type,)?
                }

                impl RootModule for TableRef {
                    declare_root_module_statics! {TableRef}
                    const BASE_NAME: &'static str = "table";
                    const NAME: &'static str = "table";
                    const VERSION_STRINGS: VersionStrings = package_version_strings!();
                }
            }
        };
    }

    version!(older, first: u32; second: extern "C" fn(u32) -> u32);
    version!(newer, first: u32; second: extern "C" fn(u32) -> u32; third: extern "C" fn() -> u64);
    version!(other, first: u32; second: extern "C" fn(u64) -> u32);

    const OLDER: &TypeLayout = older::TableRef::LAYOUT;
    const NEWER: &TypeLayout = newer::TableRef::LAYOUT;
    const OTHER: &TypeLayout = other::TableRef::LAYOUT;

    extern "C" fn twice(number: u32) -> u32 {
        2 * number
    }

    extern "C" fn five() -> u64 {
        5
    }

    /// Guards both directions of growth, of which abi_stable alone would refuse the first: an old plugin
    /// on a new host, and a new plugin on an old host.
    #[test]
    fn a_table_may_have_grown_on_either_side() {
        assert_eq!(compatible(NEWER, OLDER), Ok(()));
        assert_eq!(compatible(OLDER, NEWER), Ok(()));
        assert_eq!(compatible(OLDER, OLDER), Ok(()));
    }

    /// Guards the text of a difference: one line that says where and what.
    #[test]
    fn a_difference_is_one_line() {
        for (host, plugin) in [(OLDER, OTHER), (OTHER, OLDER), (NEWER, OTHER)] {
            let text = compatible(host, plugin).unwrap_err();
            assert!(text.starts_with("second: "), "{text}");
            assert!(text.contains("type differs: the ") && text.contains("has u64"), "{text}");
            assert!(text.len() < 300 && !text.contains('\n'), "{text}");
        }
    }

    /// Guards the use of an old plugin's table by a new host: what it has works, what it lacks is absent.
    #[test]
    fn a_new_host_can_use_an_old_table() {
        let plugin = LibHeader::from_module(older::Table { first: 7, second: twice }.leak_into_prefix());
        // SAFETY: the test above compared these two layouts.
        let table = unsafe { plugin.init_root_module_with_unchecked_layout::<newer::TableRef>() }.unwrap();
        assert_eq!((table.first(), table.second()(21)), (7, 42));
        assert!(table.third().is_none());

        let plugin =
            LibHeader::from_module(newer::Table { first: 8, second: twice, third: five }.leak_into_prefix());
        // SAFETY: as above.
        let table = unsafe { plugin.init_root_module_with_unchecked_layout::<older::TableRef>() }.unwrap();
        assert_eq!((table.first(), table.second()(4)), (8, 8));
    }
}
