package bench;

import java.util.Arrays;

/** A 32-byte key whose hash is its first bytes. */
record Digest(byte[] bytes) {
  @Override
  public int hashCode() {
    return (bytes[0] & 0xff) | (bytes[1] & 0xff) << 8 | (bytes[2] & 0xff) << 16 | bytes[3] << 24;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Digest digest && Arrays.equals(bytes, digest.bytes);
  }
}
