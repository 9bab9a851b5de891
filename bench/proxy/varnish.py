"""Varnish with the body in the key, by its bodyaccess module, and the cache in memory."""

import glob
import pathlib
import shutil

from contender import Contender

CONFIGURATION = """
vcl 4.1;
import std;
import bodyaccess;
backend provider {{ .host = "127.0.0.1"; .port = "{upstream_port}"; }}
sub vcl_recv {{
  unset req.http.x-body-length;
  std.cache_req_body(64KB);
  set req.http.x-body-length = bodyaccess.len_req_body();
  return (hash);
}}
sub vcl_hash {{
  hash_data(req.url);
  hash_data(req.http.Authorization);
  bodyaccess.hash_req_body();
  return (lookup);
}}
sub vcl_backend_fetch {{ set bereq.method = "POST"; }}
sub vcl_backend_response {{ set beresp.ttl = 1h; }}
"""


class Varnish(Contender):
    name = "varnish"

    def absent(self):
        if not shutil.which("varnishd"):
            return "varnish is not installed"
        found = glob.glob("/usr/lib/*/varnish/vmods/libvmod_bodyaccess.so")
        return "" if found else "varnish-modules is not installed"

    def command(self, folder, port, upstream_port):
        pathlib.Path(folder / "bench.vcl").write_text(CONFIGURATION.format(upstream_port=upstream_port))
        return [
            "varnishd", "-F", "-a", f"127.0.0.1:{port}", "-f", str(folder / "bench.vcl"), "-n", str(folder / "work"),
            "-s", "malloc,256m", "-p", "thread_pools=1",
        ]  # fmt: skip
