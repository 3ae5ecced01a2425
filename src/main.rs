//! The `optimizer` command.

fn main() {}
