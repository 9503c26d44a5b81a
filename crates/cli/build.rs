//! Has release builds notice a new build of the page, which they carry inside.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Debug builds read the page's files when they are asked for them. Naming a directory that is not
    // there would have them compiled again each time.
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../../ui/dist");
    }
}
