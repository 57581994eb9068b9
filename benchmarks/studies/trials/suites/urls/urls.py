"""Split, join and clean URLs; pure Python, for whoever must not parse them by regular expressions."""

SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
PORTS = {"http": "80", "https": "443", "ftp": "21"}


def split(url):
    """Return scheme, host, path, query and fragment; empty strings for what is not there."""
    rest, _, fragment = url.partition("#")
    rest, _, query = rest.partition("?")
    scheme, colon, after = rest.partition("://")
    if not colon:
        scheme, after = "", rest
    host, slash, path = after.partition("/") if colon else ("", "", after)
    return scheme.lower(), host.lower(), slash + path, query, fragment


def unsplit(parts):
    """Return the URL that has such parts."""
    scheme, host, path, query, fragment = parts
    url = f"{scheme}://{host}{path}" if scheme else path
    if query:
        url += "?" + query
    return url + "#" + fragment if fragment else url


def quote(text):
    """Return a text with all that is not safe in a path written as bytes in hexadecimal."""
    written = []
    for character in text:
        if character in SAFE:
            written.append(character)
        else:
            written.extend(f"%{byte:02X}" for byte in character.encode())
    return "".join(written)


def unquote(text):
    """Return the text that was quoted."""
    first, *rest = text.split("%")
    read = bytearray(first.encode())
    for part in rest:
        read.append(int(part[:2], 16))
        read.extend(part[2:].encode())
    return read.decode()


def parse_query(query):
    """Return the values of each name in a query."""
    values = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        values.setdefault(unquote(name.replace("+", " ")), []).append(unquote(value.replace("+", " ")))
    return values


def remove_dots(path):
    """Return a path without . and .. in it."""
    kept = []
    for part in path.split("/"):
        if part == "..":
            if len(kept) > 1:
                kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept)


def normalize(url):
    """Return the one way to write a URL: small letters, no port that goes without saying, no dots, sorted query."""
    scheme, host, path, query, fragment = split(url)
    name, _, port = host.partition(":")
    if port and PORTS.get(scheme) == port:
        host = name
    query = "&".join(sorted(query.split("&"))) if query else ""
    return unsplit((scheme, host, remove_dots(quote(unquote(path))), query, fragment))
