//! The figures of one app with one peer.

use std::time::{Duration, Instant};

use crate::desk::pair;
use crate::desk::{App, Desk, Frame};
use crate::harness::{Machine, wait};

const SOON: Duration = Duration::from_secs(60);
/// Time after which an app that was started, or a window that was closed, is at rest.
const REST: Duration = Duration::from_secs(60);
const ROUNDS: usize = 10;
/// Share of the pixels in which a picture may still differ from the last one: a moving clock does.
const STILL: f64 = 0.002;

/// Measures in turn: starts, memory and processor time at rest, opening the window.
pub(crate) async fn at_rest_and_at_work() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.trim());
    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        ready.push(tray_ready().await);
    }
    print(
        "tray ready, ms, median of 10 first starts",
        median(&mut ready),
        "800",
    );

    let desk = Desk::new().await;
    let peer = Machine::start("box");
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    tray.offers("Pair a machine…").await;
    pair(&desk, &peer).await;
    desk.welcomed();
    tray.offers_inside("box: on line", "Send test ping").await;
    tokio::time::sleep(REST).await;
    print("memory before any window, MB", megabytes(&app), "80");
    let before = app.processor_time();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let idle = app.processor_time() - before;
    print("processor in an idle minute, s", idle.as_secs_f64(), "0.06");

    let mut painted = Vec::new();
    for _ in 0..ROUNDS {
        let clicked = Instant::now();
        tray.click("Open Tieline").await;
        painted.push(until_painted(&desk, clicked).as_secs_f64() * 1000.0);
        desk.close_window();
        wait::until("the web view's end", SOON, || {
            (!app.has_web_view()).then_some(())
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    print(
        "menu event to painted peers, ms, median of 10",
        median(&mut painted),
        "600",
    );
    tokio::time::sleep(REST).await;
    print(
        "memory a minute after the window closed, MB",
        megabytes(&app),
        "140",
    );
    let before = app.processor_time();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let idle = app.processor_time() - before;
    print(
        "processor in an idle minute after that, s",
        idle.as_secs_f64(),
        "0.06",
    );
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load after: {}", load.trim());
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
}

/// From the start of the process to its item in the panel, in milliseconds.
async fn tray_ready() -> f64 {
    let desk = Desk::new().await;
    let begun = Instant::now();
    let app = desk.start(["--background"]);
    let tray = desk.tray().await;
    let ready = begun.elapsed();
    tray.offers("Pair a machine…").await;
    app.terminate();
    assert_eq!(app.ended().code, Some(0));
    ready.as_secs_f64() * 1000.0
}

/// Looks at the window until it stays as it is, and says how long after `clicked` it had become so.
fn until_painted(desk: &Desk, clicked: Instant) -> Duration {
    let mut frames: Vec<(Duration, Frame)> = Vec::new();
    let mut last_change = Instant::now();
    loop {
        if let Some(frame) = desk.frame() {
            let changed = frames
                .last()
                .is_none_or(|(_, last)| frame.difference(last) > STILL);
            if changed {
                frames.push((clicked.elapsed(), frame));
                last_change = Instant::now();
            }
        }
        let still = last_change.elapsed() > Duration::from_millis(1500);
        if let (true, Some((when, _))) = (still, frames.last()) {
            return *when;
        }
        assert!(clicked.elapsed() < SOON, "no window");
    }
}

fn megabytes(app: &App) -> f64 {
    app.proportional_kilobytes() as f64 * 1024.0 / 1e6
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    f64::midpoint(values[middle - 1], values[middle])
}

fn print(what: &str, value: f64, at_most: &str) {
    println!("{what}: {value:.3} (at most {at_most})");
}
