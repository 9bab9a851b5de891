"""Varnish with the body in the key, by its bodyaccess module, and the cache in memory."""

import glob
import pathlib
import shutil

from contender import Contender, version_in

# A lookup makes the backend's request a GET, and only a cached body goes with it: hence x-method.
CONFIGURATION = """
vcl 4.1;
import std;
import bodyaccess;
backend provider {{ .host = "127.0.0.1"; .port = "{upstream_port}"; }}
sub vcl_recv {{
  if (!std.cache_req_body(64KB)) {{ return (synth(413)); }}
  set req.http.x-method = req.method;
  return (hash);
}}
sub vcl_hash {{
  hash_data(req.method);
  hash_data(req.url);
  hash_data(req.http.Authorization);
  bodyaccess.hash_req_body();
  return (lookup);
}}
sub vcl_backend_fetch {{
  set bereq.method = bereq.http.x-method;
  unset bereq.http.x-method;
  return (fetch);
}}
sub vcl_backend_response {{
  if (beresp.status == 200) {{ set beresp.ttl = 1h; }} else {{ set beresp.uncacheable = true; }}
  return (deliver);
}}
"""


class Varnish(Contender):
    name = "varnish"

    def absent(self):
        if not shutil.which("varnishd"):
            return "varnish is not installed"
        found = glob.glob("/usr/lib/*/varnish/vmods/libvmod_bodyaccess.so")
        return "" if found else "varnish-modules is not installed"

    def version(self):
        return f"varnish {version_in(['varnishd', '-V'])}"

    def command(self, folder, port, upstream_port):
        pathlib.Path(folder / "bench.vcl").write_text(CONFIGURATION.format(upstream_port=upstream_port))
        return [
            "varnishd", "-F", "-a", f"127.0.0.1:{port}", "-f", str(folder / "bench.vcl"), "-n", str(folder / "work"),
            "-s", "malloc,256m", "-p", "thread_pools=1",
        ]  # fmt: skip
