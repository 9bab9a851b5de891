package bench;

/** What a competitor can do; keys and values are boxed, as Java's users have them. */
interface Engine {
  Object get(Object key);

  void put(Object key, Object value);

  /** Entries as the engine itself counts them, after the maintenance it does on its own. */
  long entries();
}
