//! The HTTP plugin as an operator meets it: its example is accepted by `mfn check` with the staged library.

use std::process::Command;

use crate::site::{ROOT, STAGE, Site};

/// Guards the example: every key in it exists and has a value in range. Its secrets lie with the operator, so
/// here they are missing, which is a warning that names the fields.
#[test]
fn the_example_is_accepted() {
    let site = Site::of_examples();
    let copy = site.path("examples/http.toml");
    std::fs::copy(ROOT.join("examples/http.toml"), &copy).expect("a configuration");
    let output = Command::new(STAGE.join("bin/mfn")).arg("check").arg(&copy).output().expect("mfn starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    for field in ["connectors.requests.config.auth.bearer_token", "publishers.results.config.secrets[0]"] {
        assert!(told.contains(field), "{field} in {told}");
    }
}
