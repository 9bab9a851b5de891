package bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.LongAdder;

/** Runs Caffeine on one workload and prints one JSON line; run.py is the caller. */
public final class Main {
  private static final int BATCH = 1024;
  static volatile boolean stop;
  static volatile long sink;

  private final Map<String, String> options;
  private final int entries;
  private final long capacity;
  private final String mode;
  private final boolean digest;
  private byte[] digests = {};

  private Main(Map<String, String> options) throws IOException {
    this.options = options;
    entries = Integer.parseInt(options.get("--entries"));
    capacity = Long.parseLong(options.get("--capacity"));
    mode = options.get("--mode");
    digest = "digest".equals(options.get("--set"));
    if (options.containsKey("--digests")) {
      digests = Files.readAllBytes(Path.of(options.get("--digests")));
    }
  }

  public static void main(String[] args) throws Exception {
    var options = new HashMap<String, String>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    var main = new Main(options);
    switch (main.mode) {
      case "memory" -> main.memory();
      case "expiry" -> main.expiry();
      default -> main.throughput();
    }
  }

  private Object key(int number) {
    return digest ? new Digest(Arrays.copyOfRange(digests, number * 32, number * 32 + 32)) : (Object) (long) number;
  }

  private Object value(int number) {
    if (!digest) {
      return (long) number;
    }
    var bytes = new byte[2048];
    Arrays.fill(bytes, (byte) number);
    return bytes;
  }

  private static long touch(Object value) {
    return value instanceof byte[] bytes ? bytes[0] : (Long) value;
  }

  private void fill(Engine cache) {
    for (int number = 0; number < entries; number++) {
      cache.put(key(number), value(number));
    }
  }

  private Object[] sequence() throws IOException {
    var distinct = new Object[entries];
    for (int number = 0; number < entries; number++) {
      distinct[number] = key(number);
    }
    var numbers = ByteBuffer.wrap(Files.readAllBytes(Path.of(options.get("--sequence"))))
        .order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    var keys = new Object[numbers.remaining()];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = distinct[numbers.get(i)];
    }
    return keys;
  }

  private void throughput() throws Exception {
    int threads = Integer.parseInt(options.get("--threads"));
    double seconds = Double.parseDouble(options.get("--seconds"));
    var cache = new CaffeineEngine(capacity, null);
    fill(cache);
    var keys = sequence();
    var values = new Object[64];
    Arrays.setAll(values, this::value);
    // The just-in-time compiler gets as long to warm up as the measurement takes, twice.
    round(cache, keys, values, threads, seconds);
    round(cache, keys, values, threads, seconds);
    var result = round(cache, keys, values, threads, seconds);
    System.out.printf(
        "{\"engine\":\"caffeine\",\"set\":\"%s\",\"mode\":\"%s\",\"threads\":%d,\"ops_per_s\":%.0f,\"hits\":%d,\"ops\":%d}%n",
        options.get("--set"), mode, threads, result.ops / result.seconds, result.hits, result.ops);
  }

  private record Result(long ops, long hits, double seconds) {}

  private Result round(Engine cache, Object[] keys, Object[] values, int threads, double seconds)
      throws Exception {
    stop = false;
    var ops = new LongAdder();
    var hits = new LongAdder();
    var barrier = new CyclicBarrier(threads + 1);
    var workers = new ArrayList<Thread>();
    for (int thread = 0; thread < threads; thread++) {
      int start = thread * (keys.length / threads);
      var worker = new Thread(() -> {
        try {
          barrier.await();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
        work(cache, keys, values, start, ops, hits);
      });
      worker.start();
      workers.add(worker);
    }
    barrier.await();
    long began = System.nanoTime();
    Thread.sleep((long) (seconds * 1000));
    stop = true;
    double elapsed = (System.nanoTime() - began) / 1e9;
    for (var worker : workers) {
      worker.join();
    }
    return new Result(ops.sum(), hits.sum(), elapsed);
  }

  private void work(Engine cache, Object[] keys, Object[] values, int start, LongAdder ops, LongAdder hits) {
    int mask = keys.length - 1;
    boolean writes = mode.equals("write");
    boolean mixed = mode.equals("mixed");
    int at = start;
    long done = 0;
    long found = 0;
    long sum = 0;
    while (!stop) {
      for (int i = 0; i < BATCH; i++) {
        int index = at++ & mask;
        if (writes || (mixed && (i & 3) == 3)) {
          cache.put(keys[index], values[index & 63]);
        } else {
          var value = cache.get(keys[index]);
          if (value != null) {
            sum += touch(value);
            found++;
          }
        }
      }
      done += BATCH;
    }
    sink += sum;
    ops.add(done);
    hits.add(found);
  }

  private static long heap() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(50);
    }
    var runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /** Live heap per entry beyond key and value, which are boxed longs of 24 bytes with the array's slot. */
  private void memory() throws Exception {
    var keys = new Object[entries];
    Arrays.setAll(keys, number -> Long.valueOf(1_000_000L + number));
    long before = heap();
    var cache = new CaffeineEngine(capacity, null);
    for (var key : keys) {
      cache.put(key, key);
    }
    long held = heap() - before;
    System.out.printf("{\"engine\":\"caffeine\",\"entries\":%d,\"overhead_bytes\":%.1f}%n",
        cache.entries(), (double) held / entries);
    sink += keys.length;
  }

  private void expiry() throws Exception {
    var ttl = Duration.ofSeconds(3);
    long before = heap();
    var cache = new CaffeineEngine(capacity, ttl);
    fill(cache);
    long full = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory() - before;
    Thread.sleep(ttl.plusSeconds(1).toMillis());
    long left = cache.entries();
    System.out.printf("{\"engine\":\"caffeine\",\"entries_left\":%d,\"bytes_full\":%d,\"bytes_left\":%d}%n",
        left, full, Math.max(0, heap() - before));
  }
}
