//! What every competitor can do.

use std::hash::Hash;
use std::time::Duration;

pub trait Key: Hash + Eq + Copy + Send + Sync + 'static {}
impl<K: Hash + Eq + Copy + Send + Sync + 'static> Key for K {}

pub trait Engine<K: Key, V>: Send + Sync {
    /// `ttl`: expire so long after the write, where the engine can.
    fn new(capacity: u64, ttl: Option<Duration>) -> Self;
    fn get(&self, key: &K) -> Option<V>;
    fn put(&self, key: K, value: V);
    /// Entries as the engine itself counts them, after the maintenance it does on its own.
    fn entries(&self) -> u64;
}
