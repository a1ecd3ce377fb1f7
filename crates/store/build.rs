//! A new migration alone changes no Rust file: without this line cargo would not embed it.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
