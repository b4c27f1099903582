//! The membrane group.

use crate::load::Entry;

pub(crate) fn check_nernst(entry: &Entry) {
    panic!("{}: not checked", entry.id);
}

pub(crate) fn check_ode(entry: &Entry) {
    panic!("{}: not checked", entry.id);
}

pub(crate) fn check_config(entry: &Entry) {
    panic!("{}: not checked", entry.id);
}
