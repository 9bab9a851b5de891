"""nginx with its cache on tmpfs and the body in the key, in the four modes that matter for hits, and as a
proxy that caches nothing and passes streams on at once."""

import pathlib
import shutil
import tempfile

from contender import Contender, version_in

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  sendfile {sendfile}; {open_file_cache}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  proxy_cache_path {cache} keys_zone=answers:16m max_size=256m use_temp_path=off;
  upstream provider {{ server 127.0.0.1:{upstream_port}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port};
    client_body_buffer_size 64k; client_max_body_size 32m;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
      {answers}
    }}
  }}
}}
"""

CACHED = """
      proxy_cache answers; proxy_cache_methods POST; proxy_cache_valid 200 1h;
      proxy_ignore_headers Cache-Control Expires;
      proxy_cache_key "$request_uri|$http_authorization|$request_body";
"""
UNBUFFERED = "proxy_buffering off;"


class Nginx(Contender):
    answers = CACHED

    def __init__(self, sendfile: bool, open_file_cache: bool):
        self.sendfile = "on" if sendfile else "off"
        self.open_file_cache = "open_file_cache max=1000 inactive=60s;" if open_file_cache else ""
        self.name = f"nginx sendfile {self.sendfile}{', open_file_cache' if open_file_cache else ''}"

    def absent(self):
        return "" if shutil.which("nginx") else "nginx is not installed"

    def version(self):
        return f"nginx {version_in(['nginx', '-v'])}"

    def command(self, folder, port, upstream_port):
        self.cache = tempfile.mkdtemp(prefix="bench-proxy-", dir="/dev/shm")
        pathlib.Path(folder / "nginx.conf").write_text(
            CONFIGURATION.format(
                folder=folder, cache=self.cache, port=port, upstream_port=upstream_port,
                sendfile=self.sendfile, open_file_cache=self.open_file_cache, answers=self.answers,
            )
        )
        return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]

    def stop(self):
        super().stop()
        shutil.rmtree(self.cache, ignore_errors=True)


class UnbufferedNginx(Nginx):
    caches = False
    answers = UNBUFFERED

    def __init__(self):
        super().__init__(sendfile=True, open_file_cache=False)
        self.name = "nginx proxy_buffering off"


def modes() -> list[Nginx]:
    return [Nginx(sendfile, files) for sendfile in (False, True) for files in (True, False)]
