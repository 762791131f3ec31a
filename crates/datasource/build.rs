//! Gives the test binaries what they need to link: pyo3 links with no libpython, because the extension module must not.

fn main() {
    const ARGUMENTS: &str = "SHEETBEND_TEST_LINK_ARGS";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={ARGUMENTS}");
    for argument in std::env::var(ARGUMENTS).unwrap_or_default().split_whitespace() {
        println!("cargo::rustc-link-arg-tests={argument}");
    }
}
