//! A small cache that forgets what was used longest ago.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by key, up to a total weight. Shared by threads.
pub(super) struct Cache<K, V> {
    limit: usize,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    clock: u64,
    weight: usize,
    entries: HashMap<K, Entry<V>>,
}

struct Entry<V> {
    used: u64,
    weight: usize,
    value: Arc<V>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    pub fn new(limit: usize) -> Cache<K, V> {
        Cache { limit, inner: Mutex::new(Inner { clock: 0, weight: 0, entries: HashMap::new() }) }
    }

    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let entry = inner.entries.get_mut(key)?;
        entry.used = now;
        Some(entry.value.clone())
    }

    /// Keeps a value; one heavier than the whole cache is not kept.
    pub fn put(&self, key: K, value: Arc<V>, weight: usize) {
        if weight > self.limit {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let entry = Entry { used: inner.clock, weight, value };
        inner.weight += weight;
        if let Some(old) = inner.entries.insert(key, entry) {
            inner.weight -= old.weight;
        }
        while inner.weight > self.limit {
            let oldest = inner.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| inner.entries.remove(&key)) else { break };
            inner.weight -= gone.weight;
        }
    }

    /// Forgets all keys that `gone` names.
    pub fn forget(&self, gone: impl Fn(&K) -> bool) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entries.retain(|key, _| !gone(key));
        inner.weight = inner.entries.values().map(|entry| entry.weight).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_used_longest_ago_goes_first() {
        let cache = Cache::new(10);
        cache.put("a", Arc::new(1), 4);
        cache.put("b", Arc::new(2), 4);
        assert!(cache.get(&"a").is_some());
        cache.put("c", Arc::new(3), 4);
        assert_eq!(
            (cache.get(&"a").is_some(), cache.get(&"b").is_some(), cache.get(&"c").is_some()),
            (true, false, true)
        );
        cache.put("huge", Arc::new(4), 11);
        assert!(cache.get(&"huge").is_none() && cache.get(&"a").is_some());
        cache.forget(|key| *key == "a");
        cache.put("d", Arc::new(5), 6);
        assert!(cache.get(&"c").is_some() && cache.get(&"d").is_some(), "what was forgotten weighs nothing");
    }
}
