"""Apache before a wiki that `scripts/mediawiki.py` has made, as most wikis are served.

With PHP-FPM MediaWiki sends an answer before it does what can wait. With Apache's own PHP, as on
PHP's own web server, a client of the API waits for that, too.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from typing import Literal

import pytest
from scripts.loopback import free_port

from tests.servers.loopback import wait_until_open
from tests.servers.mediawiki import RealWiki

Php = Literal["fpm", "module"]

WORKERS = 4
MODULES = Path("/usr/lib/apache2/modules")
NOBODY = "www-data"
"""Whom Apache becomes where it is started by root."""

FPM = Template("""[global]
error_log = $folder/fpm.log
[www]
listen = 127.0.0.1:$port
user = $user
pm = static
pm.max_children = $workers
clear_env = no
catch_workers_output = yes
php_admin_value[memory_limit] = 256M
php_admin_value[opcache.revalidate_freq] = 0
""")

APACHE = Template("""ServerRoot $folder
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $folder/apache.pid
ErrorLog $folder/apache.log
User $user
Group $user
$modules
$php
""")

BY_FPM = Template("""ProxyPassMatch "^/w/(.*\\.php)$$" "fcgi://127.0.0.1:$fpm$code/$$1"
ProxyPassMatch "^/wiki/" "fcgi://127.0.0.1:$fpm$code/index.php"
""")

BY_MODULE = Template("""StartServers $workers
ServerLimit $workers
MinSpareServers $workers
Alias /wiki $code/index.php
Alias /w $code
<FilesMatch "\\.php$$">
  SetHandler application/x-httpd-php
</FilesMatch>
php_admin_value memory_limit 256M
php_admin_value opcache.revalidate_freq 0
""")

LOADED = {
    "fpm": ("mpm_event", "authz_core", "proxy", "proxy_fcgi"),
    "module": ("mpm_prefork", "authz_core", "alias"),
}
"""Apache's modules; PHP's own is named by its version."""


@contextmanager
def apache(wiki: RealWiki, folder: Path, php: Php) -> Iterator[None]:
    """Serve a wiki by Apache, too, and have `wiki` ask there; skip where it is not installed.

    `folder` is for configuration and logs. By the module, where root starts it, www-data serves:
    it has to be able to read the wiki's folder, MediaWiki and its extensions.
    """
    folder.mkdir()
    port = free_port()
    before = wiki.api_url
    with ExitStack() as running:
        if php == "fpm":
            served = BY_FPM.substitute(fpm=_start_fpm(running, wiki, folder), code=wiki.code)
        else:
            served = BY_MODULE.substitute(code=wiki.code, workers=WORKERS)
        modules = [f"LoadModule {name}_module {_module(name)}" for name in LOADED[php]]
        if php == "module":
            modules.append(f"LoadModule php_module {_module('php')}")
        settings = folder / "apache.conf"
        settings.write_text(
            APACHE.substitute(
                folder=folder, port=port, user=_user(), modules="\n".join(modules), php=served
            )
        )
        _start(running, wiki, _program("apache2"), "-D", "FOREGROUND", "-f", str(settings))
        wait_until_open(port)
        wiki.api_url = f"http://127.0.0.1:{port}/w/api.php"
        try:
            yield
        finally:
            wiki.api_url = before


def _start_fpm(running: ExitStack, wiki: RealWiki, folder: Path) -> int:
    port = free_port()
    settings = folder / "fpm.conf"
    user = pwd.getpwuid(os.geteuid()).pw_name
    settings.write_text(FPM.substitute(folder=folder, port=port, user=user, workers=WORKERS))
    command = [_program("php-fpm*"), "--nodaemonize", "--fpm-config", str(settings)]
    if os.geteuid() == 0:
        command.append("--allow-to-run-as-root")
    _start(running, wiki, *command)
    wait_until_open(port)
    return port


def _start(running: ExitStack, wiki: RealWiki, *command: str) -> None:
    process = subprocess.Popen(
        command,
        env=wiki.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Apache ends all of its process group.
        start_new_session=True,
    )
    running.callback(process.wait)
    running.callback(process.terminate)


def _user() -> str:
    return NOBODY if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _program(pattern: str) -> str:
    for folder in (Path("/usr/sbin"), Path("/usr/local/sbin")):
        found = sorted(folder.glob(pattern))
        if found:
            return str(found[-1])
    pytest.skip(f"{pattern} is missing: run 'python3 -m scripts.mediawiki install' as root")


def _module(name: str) -> Path:
    pattern = "libphp*.so" if name == "php" else f"mod_{name}.so"
    found = sorted(MODULES.glob(pattern))
    if not found:
        pytest.skip(f"Apache's {name} is missing: run 'python3 -m scripts.mediawiki install'")
    return found[-1]
