//! Keys, loops and the measurement; the C++ and Java harnesses do the same.

use crate::engine::{Engine, Key};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const BATCH: usize = 1024;

/// A value and the key that goes with it.
pub trait Payload: Clone + Send + Sync + 'static {
    type Key: Key;
    fn key(number: u64, digests: &[u8]) -> Self::Key;
    fn value(number: u64) -> Self;
    /// Reads the value as a user would, so that the load is not optimised away.
    fn touch(&self) -> u64;
}

impl Payload for u64 {
    type Key = u64;
    fn key(number: u64, _digests: &[u8]) -> u64 {
        number
    }
    fn value(number: u64) -> u64 {
        number
    }
    fn touch(&self) -> u64 {
        *self
    }
}

/// 2 KB behind a reference count, under a SHA-256 key.
#[derive(Clone)]
pub struct Kilobytes(Arc<[u8]>);

impl Payload for Kilobytes {
    type Key = [u8; 32];
    fn key(number: u64, digests: &[u8]) -> [u8; 32] {
        let at = number as usize * 32;
        digests[at..at + 32].try_into().unwrap()
    }
    fn value(number: u64) -> Kilobytes {
        Kilobytes(vec![number as u8; 2048].into())
    }
    fn touch(&self) -> u64 {
        self.0[0] as u64
    }
}

pub struct Options {
    pub engine: String,
    pub set: String,
    pub mode: String,
    pub threads: usize,
    pub seconds: f64,
    pub capacity: u64,
    pub sequence: Vec<u32>,
    pub digests: Vec<u8>,
    pub entries: u64,
}

impl Options {
    pub fn from_args() -> Options {
        let args: Vec<String> = std::env::args().collect();
        let text = |name: &str| {
            let at = args.iter().position(|a| a == name);
            at.map(|i| args[i + 1].clone()).unwrap_or_default()
        };
        let bytes = |name: &str| match text(name).as_str() {
            "" => Vec::new(),
            path => std::fs::read(path).expect(path),
        };
        let sequence = bytes("--sequence");
        Options {
            engine: text("--engine"),
            set: text("--set"),
            mode: text("--mode"),
            threads: text("--threads").parse().unwrap_or(1),
            seconds: text("--seconds").parse().unwrap_or(1.0),
            capacity: text("--capacity").parse().expect("--capacity"),
            entries: text("--entries").parse().expect("--entries"),
            sequence: sequence.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect(),
            digests: bytes("--digests"),
        }
    }
}

fn fill<V: Payload, E: Engine<V::Key, V>>(cache: &E, options: &Options) {
    for number in 0..options.entries {
        cache.put(V::key(number, &options.digests), V::value(number));
    }
}

fn work<V: Payload, E: Engine<V::Key, V>>(
    cache: &E, keys: &[V::Key], values: &[V], mode: &str, start: usize, stop: &AtomicBool,
) -> (u64, u64) {
    let mask = keys.len() - 1;
    let (mut at, mut done, mut sum, mut found) = (start, 0u64, 0u64, 0u64);
    while !stop.load(Ordering::Relaxed) {
        for i in 0..BATCH {
            let index = at & mask;
            at += 1;
            let write = mode == "write" || (mode == "mixed" && i & 3 == 3);
            if write {
                cache.put(keys[index], values[index & (values.len() - 1)].clone());
            } else if let Some(value) = cache.get(&keys[index]) {
                sum = sum.wrapping_add(value.touch());
                found += 1;
            }
        }
        done += BATCH as u64;
    }
    black_box(sum);
    (done, found)
}

fn measure<V: Payload, E: Engine<V::Key, V>>(options: &Options) {
    let cache = E::new(options.capacity, None);
    fill::<V, E>(&cache, options);
    let keys: Vec<V::Key> =
        options.sequence.iter().map(|n| V::key(*n as u64, &options.digests)).collect();
    let values: Vec<V> = (0..64).map(V::value).collect();
    let (stop, total, hits) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let barrier = Barrier::new(options.threads + 1);
    let mut elapsed = Duration::ZERO;
    std::thread::scope(|scope| {
        for thread in 0..options.threads {
            let (cache, keys, values, stop) = (&cache, &keys, &values, &stop);
            let (total, hits, barrier) = (&total, &hits, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let start = thread * keys.len() / options.threads;
                let (done, found) = work::<V, E>(cache, keys, values, &options.mode, start, stop);
                total.fetch_add(done, Ordering::Relaxed);
                hits.fetch_add(found, Ordering::Relaxed);
            });
        }
        barrier.wait();
        let began = Instant::now();
        std::thread::sleep(Duration::from_secs_f64(options.seconds));
        stop.store(true, Ordering::Relaxed);
        elapsed = began.elapsed();
    });
    println!(
        "{{\"engine\":\"{}\",\"set\":\"{}\",\"mode\":\"{}\",\"threads\":{},\"ops_per_s\":{:.0},\"hits\":{},\"ops\":{}}}",
        options.engine, options.set, options.mode, options.threads,
        total.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64(),
        hits.load(Ordering::Relaxed), total.load(Ordering::Relaxed)
    );
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Resident memory per entry beyond key and value, 8 bytes each.
fn measure_memory<V: Payload, E: Engine<V::Key, V>>(options: &Options) {
    let before = resident_bytes();
    let cache = E::new(options.capacity, None);
    fill::<V, E>(&cache, options);
    let held = resident_bytes() - before;
    println!(
        "{{\"engine\":\"{}\",\"entries\":{},\"overhead_bytes\":{:.1}}}",
        options.engine, cache.entries(), held as f64 / options.entries as f64 - 16.0
    );
}

/// What is still held a second after everything has expired, with no traffic.
fn measure_expiry<V: Payload, E: Engine<V::Key, V>>(options: &Options) {
    let ttl = Duration::from_secs(3);
    let before = resident_bytes();
    let cache = E::new(options.capacity, Some(ttl));
    fill::<V, E>(&cache, options);
    let full = resident_bytes() - before;
    std::thread::sleep(ttl + Duration::from_secs(1));
    println!(
        "{{\"engine\":\"{}\",\"entries_left\":{},\"bytes_full\":{},\"bytes_left\":{}}}",
        options.engine, cache.entries(), full, resident_bytes().saturating_sub(before)
    );
}

pub fn run<V: Payload, E: Engine<V::Key, V>>(options: &Options) {
    match options.mode.as_str() {
        "memory" => measure_memory::<V, E>(options),
        "expiry" => measure_expiry::<V, E>(options),
        _ => measure::<V, E>(options),
    }
}
