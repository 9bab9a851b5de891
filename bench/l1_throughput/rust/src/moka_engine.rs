use crate::engine::{Engine, Key};
use moka::sync::Cache;
use std::time::Duration;

pub struct MokaEngine<K, V>(Cache<K, V>);

impl<K: Key, V: Clone + Send + Sync + 'static> Engine<K, V> for MokaEngine<K, V> {
    fn new(capacity: u64, ttl: Option<Duration>) -> Self {
        let builder = Cache::builder().max_capacity(capacity);
        MokaEngine(match ttl {
            Some(ttl) => builder.time_to_live(ttl).build(),
            None => builder.build(),
        })
    }

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    fn put(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn entries(&self) -> u64 {
        self.0.entry_count()
    }
}
