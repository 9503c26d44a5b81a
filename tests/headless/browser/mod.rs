//! The page in a real browser, against real nodes.

mod axe;
mod chromium;
mod keyboard;
mod link;
mod pages;
mod scene;
