//! What this node runs or calls on its own machine because the person chose it: a [`program`], or
//! an address on the [`loopback`] interface. Responders and hooks share it, with its limits.

pub(crate) mod loopback;
pub(crate) mod program;
