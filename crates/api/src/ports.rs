//! Binding a TCP port, and explaining why that failed.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tieline_wire::problem::{Code, Problem};

/// Why `addr` could not be bound, naming the process that holds the port where that can be known
/// and a port that is free. `option` is the command-line option that sets the address.
#[must_use]
pub fn bind_problem(addr: SocketAddr, error: &io::Error, option: &str) -> Problem {
    match error.kind() {
        io::ErrorKind::AddrInUse => in_use(addr, option),
        io::ErrorKind::PermissionDenied => {
            Problem::new(Code::PortDenied).with("address", addr.to_string())
        }
        _ => Problem::new(Code::ConfigInvalid)
            .summary(format!("Cannot listen on {addr}."))
            .because(format!("{error}."))
            .remedy(format!("Give an address of this machine with {option}.")),
    }
}

/// The problem of a port in use: by what, and which other one is free.
#[must_use]
pub fn in_use(addr: SocketAddr, option: &str) -> Problem {
    let mut problem = Problem::new(Code::PortInUse)
        .summary(format!("Port {} is in use.", addr.port()))
        .with("address", addr.to_string());
    problem = match listeners::get_process_by_port(addr.port(), listeners::Protocol::TCP) {
        Ok(process) => problem
            .because(format!(
                "{} (process {}) listens on {addr}.",
                process.name, process.pid
            ))
            .with("process", process.name)
            .with("pid", process.pid),
        // Another user's process, or one that is gone again.
        Err(_) => problem.because(format!("Another program listens on {addr}.")),
    };
    match free_after(addr) {
        Some(free) => problem
            .remedy(format!(
                "Stop that program, or choose another port, such as {option} {free}."
            ))
            .with("suggestion", free.to_string()),
        None => problem.remedy(format!(
            "Stop that program, or choose another port with {option}."
        )),
    }
}

/// The next port on the same address that nothing listens on.
fn free_after(addr: SocketAddr) -> Option<SocketAddr> {
    (1..=50)
        .filter_map(|step| addr.port().checked_add(step))
        .map(|port| SocketAddr::new(addr.ip(), port))
        .find(|candidate| TcpListener::bind(candidate).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_the_process_that_holds_the_port_and_a_free_one() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = held.local_addr().unwrap();
        let error = TcpListener::bind(addr).unwrap_err();

        let problem = bind_problem(addr, &error, "--api-addr");

        assert_eq!(problem.code, Code::PortInUse);
        assert!(problem.summary.contains(&addr.port().to_string()));
        if cfg!(target_os = "linux") {
            assert!(
                problem.cause.contains(&std::process::id().to_string()),
                "{}",
                problem.cause
            );
        }
        let suggestion = problem.detail.unwrap()["suggestion"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(problem.remedy.contains(&format!("--api-addr {suggestion}")));
        TcpListener::bind(suggestion).unwrap();
    }

    #[test]
    fn an_address_of_another_machine_is_a_configuration_problem() {
        let addr = "192.0.2.1:3847".parse().unwrap();
        let error = TcpListener::bind(addr).unwrap_err();
        assert_eq!(
            bind_problem(addr, &error, "--api-addr").code,
            Code::ConfigInvalid
        );
    }
}
