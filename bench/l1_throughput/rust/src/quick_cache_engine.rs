use crate::engine::{Engine, Key};
use quick_cache::sync::Cache;
use std::time::Duration;

pub struct QuickCacheEngine<K, V>(Cache<K, V>);

impl<K: Key, V: Clone + Send + Sync + 'static> Engine<K, V> for QuickCacheEngine<K, V> {
    /// quick_cache has no expiry of its own; `ttl` is ignored.
    fn new(capacity: u64, _ttl: Option<Duration>) -> Self {
        QuickCacheEngine(Cache::new(capacity as usize))
    }

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    fn put(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn entries(&self) -> u64 {
        self.0.len() as u64
    }
}
