package bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Scheduler;
import java.time.Duration;

final class CaffeineEngine implements Engine {
  private final Cache<Object, Object> cache;

  /** With a ttl it gets the system scheduler, the promptest expiry that it offers. */
  CaffeineEngine(long capacity, Duration ttl) {
    var builder = Caffeine.newBuilder().maximumSize(capacity);
    if (ttl != null) {
      builder.expireAfterWrite(ttl).scheduler(Scheduler.systemScheduler());
    }
    cache = builder.build();
  }

  @Override
  public Object get(Object key) {
    return cache.getIfPresent(key);
  }

  @Override
  public void put(Object key, Object value) {
    cache.put(key, value);
  }

  @Override
  public long entries() {
    return cache.estimatedSize();
  }
}
