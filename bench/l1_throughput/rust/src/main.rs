//! Runs one Rust cache on one workload and prints one JSON line; `run.py` is the caller.
//! The workloads and the protocol are described in ../README.md.

mod engine;
mod moka_engine;
mod quick_cache_engine;
mod workload;

use moka_engine::MokaEngine;
use quick_cache_engine::QuickCacheEngine;
use workload::{Options, Payload};

fn dispatch<V: Payload>(options: &Options) {
    match options.engine.as_str() {
        "moka" => workload::run::<V, MokaEngine<V::Key, V>>(options),
        "quick_cache" => workload::run::<V, QuickCacheEngine<V::Key, V>>(options),
        other => panic!("unknown engine {other}"),
    }
}

fn main() {
    let options = Options::from_args();
    match options.set.as_str() {
        "digest" => dispatch::<workload::Kilobytes>(&options),
        _ => dispatch::<u64>(&options),
    }
}
