"""A real MediaWiki on this machine's loopback, for tests and for trying things out.

    python3 -m scripts.mediawiki install          Debian's packages where missing (root)
    python3 -m scripts.mediawiki unpack --suite S --code C
                                                  another Debian release's MediaWiki into C
    python3 -m scripts.mediawiki start --dir D    make a wiki in D and serve it until SIGTERM
    python3 -m scripts.mediawiki jobs --dir D     run the jobs that its edits have queued
    python3 -m scripts.mediawiki stop --dir D     end what `start --dir D` serves

`start` prints the address of api.php as soon as it answers. A folder that already holds a wiki
keeps its pages; settings in D/extra.php come after its own. The wiki is on SQLite, or with
`--database mysql://user:password@127.0.0.1:port/name` (or `postgresql://`) on an empty database
there, and on PHP's own web server; anyone may edit, jobs run on demand only. `--code C` serves the
MediaWiki in C. Accounts, all with the password PASSWORD: Admin (sysop, bureaucrat, suppress) and
Bot. Never serve it to anybody else.

Needs the standard library only.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import NamedTuple

from scripts import debian, loopback
from scripts.loopback import HOST, ServerError

PASSWORD = "only-on-loopback"
MEDIAWIKI = Path("/usr/share/mediawiki")
PACKAGES = (
    "mediawiki",
    "php-cli",
    "php-fpm",
    "apache2",
    "php-sqlite3",
    "php-mbstring",
    "php-intl",
    "php-xml",
    "php-apcu",
    "php-mysql",
    "php-pgsql",
)
MODULES = ("sqlite3", "mbstring", "intl", "xml", "apcu", "mysqli", "pgsql")
"""What PACKAGES bring to PHP."""
SBIN = Path("/usr/sbin")
WORKERS = 4
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 10
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

LOCAL_SETTINGS = Template(r"""<?php
$$wgSitename = 'Loopback Wiki';
$$wgServer = '$server';
$$wgScriptPath = '/w';
$$wgArticlePath = '/wiki/$$1';
$$wgLanguageCode = '$lang';
$database
$$wgSecretKey = '$secret';
$$wgCacheDirectory = '$folder/cache';
$$wgLocalisationCacheConf['storeClass'] = 'LCStoreStaticArray';
$$wgMainCacheType = CACHE_NONE;
$$wgSessionCacheType = CACHE_ACCEL;
$$wgJobRunRate = 0;
$$wgEnableUploads = false;
$$wgEnableEmail = false;
$$wgPingback = false;
$$wgShowExceptionDetails = true;
$$wgRateLimits = [];
$$wgRightsText = 'Creative Commons Attribution-ShareAlike 4.0';
$$wgRightsUrl = 'https://creativecommons.org/licenses/by-sa/4.0/';
$$wgGroupPermissions['*']['edit'] = true;
$$wgGroupPermissions['sysop']['deleterevision'] = true;
$$wgGroupPermissions['sysop']['deletelogentry'] = true;
$$wgGroupPermissions['suppress']['deleterevision'] = true;
$$wgGroupPermissions['suppress']['suppressrevision'] = true;
$$wgGroupPermissions['suppress']['viewsuppressed'] = true;
wfLoadSkin( 'Vector' );
$$wgDefaultSkin = 'vector';
if ( file_exists( '$folder/extra.php' ) ) {
	require '$folder/extra.php';
}
""")

ON_SQLITE = Template(r"""$$wgDBtype = 'sqlite';
$$wgDBname = '$wiki_id';
$$wgDBservers = [ [
	'type' => 'sqlite',
	'load' => 1,
	'dbname' => '$wiki_id',
	'dbDirectory' => '$folder/data',
	'tablePrefix' => '',
	'trxMode' => 'IMMEDIATE',
	'variables' => [ 'synchronous' => 'OFF' ],
	'flags' => 0,
] ];""")

ON_MYSQL = Template(r"""$$wgDBtype = 'mysql';
$$wgDBserver = '$server';
$$wgDBname = '$name';
$$wgDBuser = '$user';
$$wgDBpassword = '$password';
$$wgDBTableOptions = 'ENGINE=InnoDB, DEFAULT CHARSET=binary';""")

ON_POSTGRESQL = Template(r"""$$wgDBtype = 'postgres';
$$wgDBserver = '$server';
$$wgDBport = '$port';
$$wgDBname = '$name';
$$wgDBuser = '$user';
$$wgDBpassword = '$password';
$$wgDBmwschema = 'mediawiki';""")

ROUTER = Template(r"""<?php
$$path = parse_url( $$_SERVER['REQUEST_URI'], PHP_URL_PATH );
if ( $$path !== '/' && strpos( $$path, '/wiki/' ) !== 0 ) {
	return false;
}
$$_SERVER['SCRIPT_NAME'] = $$_SERVER['PHP_SELF'] = '/w/index.php';
$$_SERVER['SCRIPT_FILENAME'] = '$mediawiki/index.php';
require '$mediawiki/index.php';
""")


_NAME = "scripts.mediawiki"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = _parser().parse_args(argv)
    return loopback.told("mediawiki", lambda: _do(args))


def _do(args: argparse.Namespace) -> None:
    if args.verb == "install":
        install()
    elif args.verb == "unpack":
        unpack(args.suite, args.code.resolve())
    elif args.verb == "start":
        wiki = Wiki(args.dir.resolve(), args.wiki_id, args.lang, args.code, args.database)
        serve(wiki, args.port)
    elif args.verb == "jobs":
        maintenance(args.dir.resolve(), "runJobs")
    else:
        stop(args.dir.resolve())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install")
    other = verbs.add_parser("unpack")
    other.add_argument("--suite", required=True, help="Debian's name of a release, such as trixie")
    other.add_argument("--code", type=Path, required=True, help="folder to make")
    start = verbs.add_parser("start")
    start.add_argument("--dir", type=Path, required=True)
    start.add_argument("--port", type=int, default=0, help="0: any free port")
    start.add_argument("--wiki-id", default="my_wiki")
    start.add_argument("--lang", default="en", help="MediaWiki language code, such as he")
    start.add_argument("--code", type=Path, default=MEDIAWIKI, help="MediaWiki's own files")
    start.add_argument("--database", help="URL of a database; SQLite")
    for verb in ("jobs", "stop"):
        verbs.add_parser(verb).add_argument("--dir", type=Path, required=True)
    return parser


def missing(code: Path = MEDIAWIKI) -> str | None:
    """Say what is missing to serve the MediaWiki in `code`, None if nothing is."""
    if shutil.which("php") is None:
        return "PHP is not installed"
    known = loopback.run(["php", "-m"]).lower().split()
    absent = [module for module in MODULES if module not in known]
    if absent:
        return f"PHP's {absent[0]} is not installed"
    if not (code / "api.php").exists():
        return f"MediaWiki is not installed in {code}"
    return None


def _missing_before_apache() -> str | None:
    """Say what is missing to have PHP-FPM behind Apache, as some tests do, None if nothing is."""
    absent = [name for name in ("apache2", "php-fpm*") if not any(SBIN.glob(name))]
    return f"{absent[0]} is not installed" if absent else None


def install() -> None:
    """Install Debian's packages where they are missing; needs root."""
    reason = missing() or _missing_before_apache()
    if reason is None:
        return
    debian.install(PACKAGES, reason)
    reason = missing() or _missing_before_apache()
    if reason is not None:
        raise ServerError(f"{reason}, although its packages were installed")


def unpack(suite: str, code: Path) -> None:
    """Put the MediaWiki of another Debian release into the folder `code`, beside the installed one.

    Asks the archive that this machine's apt asks, and installs nothing. PHP must be new enough.
    """
    if (code / "api.php").exists():
        return
    if shutil.which("apt-get") is None:
        raise ServerError("there is no apt-get here: it takes Debian")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        environment = {**os.environ, "APT_CONFIG": str(_apt(folder, suite))}
        loopback.run(["apt-get", "update", "-q"], env=environment)
        for package in ("mediawiki", "mediawiki-classes"):
            loopback.run(["apt-get", "download", "-q", package], env=environment, cwd=folder)
        for file in folder.glob("*.deb"):
            loopback.run(
                ["dpkg-deb", "--extract", str(file), str(folder / "root")], env=environment
            )
        root = folder / "root"
        for link in filter(Path.is_symlink, (root / "var/lib/mediawiki").rglob("*")):
            _lead(link, "/usr/share/mediawiki", code)
        unpacked = root / "usr/share/mediawiki"
        for link in list(filter(Path.is_symlink, unpacked.iterdir())):
            target = root / os.readlink(link).lstrip("/")
            link.unlink()
            if target.is_dir():
                shutil.move(target, link)
        code.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(unpacked, code)


def _apt(folder: Path, suite: str) -> Path:
    """Write settings for an apt that knows one release only, and keeps all of it in `folder`."""
    targets = loopback.run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    )
    if not targets.split():
        raise ServerError("apt knows no archive here: run 'apt-get update' first")
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {targets.split()[0]} {suite} main\n")
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    settings = folder / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}";\n'
        'APT::Sandbox::User "root";\n'
    )
    return settings


def _lead(link: Path, old: str, new: Path) -> None:
    """Have a link that leads below `old` lead below `new`."""
    target = os.readlink(link)
    if target.startswith(f"{old}/"):
        link.unlink()
        link.symlink_to(new / target.removeprefix(f"{old}/"))


class Wiki(NamedTuple):
    """A wiki to be: its folder, MediaWiki's own files, and its database, None for SQLite."""

    folder: Path
    wiki_id: str
    lang: str
    code: Path
    database: str | None


def serve(wiki: Wiki, port: int) -> None:
    """Make the wiki if the folder has none, and serve it until SIGTERM or SIGINT."""
    folder = wiki.folder
    reason = missing(wiki.code)
    if reason is not None:
        raise ServerError(f"{reason}: run 'python3 -m scripts.mediawiki install' as root")
    if _process_of(folder) is not None:
        raise ServerError(f"a wiki is already being served from {folder}: stop it first")
    loopback.end_on_sigterm()
    folder.mkdir(parents=True, exist_ok=True)
    server = f"http://{HOST}:{port or loopback.free_port()}"
    make_wiki(wiki, server)
    pid_file = folder / "pid"
    pid_file.write_text(str(os.getpid()))
    php = _start_php(folder, server)
    try:
        api_url = f"{server}/w/api.php"
        _wait_until_it_answers(api_url, php, folder)
        print(api_url, flush=True)
        if php.wait() != 0:
            raise ServerError(f"PHP's web server ended: see {folder / 'php.log'}")
    except KeyboardInterrupt:
        pass
    finally:
        # Its workers outlive the server's own process, so the whole group has to go.
        with suppress(ProcessLookupError):
            os.killpg(php.pid, signal.SIGKILL)
        php.wait()
        pid_file.unlink(missing_ok=True)


def stop(folder: Path) -> None:
    """End what is served from the folder; nothing to do if nothing is."""
    pid = _process_of(folder)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _process_of(folder) is not None:
        if time.monotonic() > deadline:
            raise ServerError(f"process {pid} does not end")
        time.sleep(0.05)


def make_wiki(wiki: Wiki, server: str) -> None:
    """Write the settings into the folder, and a database if it holds none."""
    folder = wiki.folder
    settings = folder / "LocalSettings.php"
    settings.unlink(missing_ok=True)
    is_new = not (folder / "data").exists()
    for name in ("data", "cache", "www", "installer"):
        (folder / name).mkdir(exist_ok=True)
    link = folder / "www" / "w"
    if not link.exists():
        link.symlink_to(wiki.code.resolve())
    if is_new:
        maintenance(
            folder,
            "install",
            f"--confpath={folder / 'installer'}",
            f"--lang={wiki.lang}",
            f"--server={server}",
            f"--pass={PASSWORD}",
            "--scriptpath=/w",
            *_database_arguments(wiki),
            "Loopback Wiki",
            "Admin",
        )
    settings.write_text(
        LOCAL_SETTINGS.substitute(
            server=server,
            lang=wiki.lang,
            database=_database_settings(wiki),
            folder=folder,
            secret="0" * 64,
        )
    )
    (folder / "router.php").write_text(ROUTER.substitute(mediawiki=wiki.code.resolve()))
    if is_new:
        maintenance(folder, "createAndPromote", "--force", "--custom-groups=suppress", "Admin")
        maintenance(folder, "createAndPromote", "--bot", "Bot", PASSWORD)


def _database_arguments(wiki: Wiki) -> list[str]:
    if wiki.database is None:
        return ["--dbtype=sqlite", f"--dbpath={wiki.folder / 'data'}", f"--dbname={wiki.wiki_id}"]
    url = urllib.parse.urlsplit(wiki.database)
    place = (
        ["--dbtype=postgres", f"--dbserver={url.hostname}", f"--dbport={url.port}"]
        if _is_postgresql(wiki)
        else ["--dbtype=mysql", f"--dbserver={url.hostname}:{url.port}"]
    )
    return [
        *place,
        f"--dbname={url.path.lstrip('/')}",
        f"--dbuser={url.username}",
        f"--dbpass={url.password or ''}",
    ]


def _database_settings(wiki: Wiki) -> str:
    if wiki.database is None:
        return ON_SQLITE.substitute(wiki_id=wiki.wiki_id, folder=wiki.folder)
    url = urllib.parse.urlsplit(wiki.database)
    told = {
        "name": url.path.lstrip("/"),
        "user": url.username,
        "password": url.password or "",
    }
    if _is_postgresql(wiki):
        return ON_POSTGRESQL.substitute(told, server=url.hostname, port=url.port)
    return ON_MYSQL.substitute(told, server=f"{url.hostname}:{url.port}")


def _is_postgresql(wiki: Wiki) -> bool:
    return wiki.database is not None and wiki.database.startswith("postgresql:")


def maintenance(folder: Path, script: str, *args: str) -> str:
    """Run one of MediaWiki's maintenance scripts on the folder's wiki; return what it printed."""
    file = (folder / "www/w").resolve() / f"maintenance/{script}.php"
    command = ["php", "-d", "opcache.enable_cli=0", str(file)]
    return loopback.run([*command, *args], env=environment(folder))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a program that is to work on the folder's wiki."""
    return {**os.environ, "MW_CONFIG_FILE": str(folder / "LocalSettings.php")}


def _start_php(folder: Path, server: str) -> subprocess.Popen[bytes]:
    return loopback.start(
        [
            "php",
            "-d",
            "memory_limit=256M",
            "-d",
            "display_errors=0",
            "-d",
            "log_errors=1",
            "-d",
            "opcache.revalidate_freq=0",
            "-S",
            server.removeprefix("http://"),
            "-t",
            str(folder / "www"),
            str(folder / "router.php"),
        ],
        folder / "php.log",
        env={**environment(folder), "PHP_CLI_SERVER_WORKERS": str(WORKERS)},
    )


def _wait_until_it_answers(api_url: str, php: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    port = urllib.parse.urlsplit(api_url).port or 0
    while not loopback.is_open(port):
        if php.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"{api_url} does not open: see {folder / 'php.log'}")
        time.sleep(0.02)
    question = f"{api_url}?action=query&meta=siteinfo&format=json"
    try:
        with urllib.request.urlopen(question, timeout=START_TIMEOUT_S) as answer:
            json.load(answer)
    except (OSError, ValueError) as error:
        raise ServerError(f"{api_url}: {error}: see {folder / 'php.log'}") from error


def _process_of(folder: Path) -> int | None:
    """Return the process that serves the folder, None if there is none."""
    try:
        pid = int((folder / "pid").read_text())
        # A number left behind by a killed process may belong to another by now.
        is_ours = _NAME in Path(f"/proc/{pid}/cmdline").read_text()
    except (OSError, ValueError):
        return None
    return pid if is_ours else None


if __name__ == "__main__":
    sys.exit(main())
